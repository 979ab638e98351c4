using System.Collections.Immutable;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using ClusterLlm.AppHost.Aspire;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Tests.Aspire;

/// <summary>Only where the AppHost was built with Aspire. Nothing is started.</summary>
[Trait("category", "aspire")]
public sealed class AspireModelTests
{
    [Fact]
    public async Task Add_Topology_IsWhatTheDescriptionSays()
    {
        var topology = ClusterTopology.Build(new() { Home = "/home", Agents = 2 }, "/samples");
        var builder = AspireProgram.CreateBuilder([]);
        var watcher = new ClusterWatcher(() => null, TimeProvider.System);
        var model = new AspireModel(builder, new(new CommandRunner(() => null, TimeProvider.System), watcher), watcher);

        model.Add(topology);

        var described = new List<string>();
        foreach (var process in topology.Processes)
        {
            described.AddRange((await DescribeAsync(model.Projects[process.Name].Resource, process)).ToLines());
        }

        Assert.Equal(ProcessDescription.Of(topology).SelectMany(process => process.ToLines()), described);
    }

    private static async Task<ProcessDescription> DescribeAsync(ProjectResource resource, ProcessResource process)
    {
        var variables = new Dictionary<string, object>();
        var context = new EnvironmentCallbackContext(
            new DistributedApplicationExecutionContext(DistributedApplicationOperation.Publish), resource, variables, TestContext.Current.CancellationToken);
        foreach (var callback in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await callback.Callback(context);
        }

        var endpoints = resource.Annotations.OfType<EndpointAnnotation>().ToArray();
        var wanted = ProcessDescription.Of(new ClusterTopology { Processes = [process] })[0].Environment.Keys;
        return new(
            resource.Name,
            Path.GetFileNameWithoutExtension(resource.GetProjectMetadata().ProjectPath),
            // Aspire adds variables of its own, for telemetry; those of the topology must all be there.
            variables.Where(variable => wanted.Contains(variable.Key)).ToImmutableSortedDictionary(
                variable => variable.Key, variable => Text(variable.Value, endpoints)),
            [.. endpoints.Select(endpoint => endpoint.Name)],
            [.. resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource.Name)],
            resource.Annotations.OfType<HealthCheckAnnotation>().Any() ? $"{process.HealthEndpoint}{process.HealthPath}" : "none",
            [.. resource.Annotations.OfType<ResourceCommandAnnotation>().Select(command => command.Name).Where(name => ClusterCommands.All.Any(known => known.Name == name))]);
    }

    private static string Text(object value, EndpointAnnotation[] endpoints) => value switch
    {
        ReferenceExpression { ValueProviders: [.., EndpointReferenceExpression { Endpoint: var reference }] } => $"{{{reference.Resource.Name}.{reference.EndpointName}}}",
        string text when endpoints.FirstOrDefault(endpoint => $"{endpoint.Port}" == text) is { } own => $"{{port {own.Name}}}",
        _ => value.ToString() ?? "",
    };
}
