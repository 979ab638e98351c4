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
    private const string LifeLine = "/home/run/apphost.alive";

    [Fact]
    public async Task Add_Topology_IsWhatTheDescriptionSays()
    {
        var topology = ClusterTopology.Build(new() { Home = "/home", Agents = 2 }, "/samples");
        var model = Model(topology);

        var described = new List<string>();
        foreach (var process in topology.Processes)
        {
            described.AddRange((await DescribeAsync(model.Projects[process.Name].Resource, process)).ToLines());
        }

        Assert.Equal(ProcessDescription.Of(topology).SelectMany(process => process.ToLines()), described);
    }

    [Fact]
    public async Task Add_Python_RunsOurModuleInTheAgentsEnvironmentAndTheAgentMakesIt()
    {
        var topology = ClusterTopology.Build(new() { Home = "/home", Agents = 2 }, "/samples");
        var python = Model(topology).Python;

        Assert.NotNull(python);
        Assert.Equal("mlx-python", python.Module.Resource.Name);
        Assert.Equal("/home/mlx/bin/python", python.Module.Resource.Command);
        Assert.True(File.Exists(Path.Join(python.Module.Resource.WorkingDirectory, "clusterllm_mlx", "environment.py")));
        Assert.Contains(python.Module.Resource.Annotations, annotation => annotation is ExplicitStartupAnnotation);
        Assert.Equal("mlx-python-installer", python.Installer.Resource.Name);
        Assert.Empty(python.Installer.Resource.Annotations.OfType<WaitAnnotation>());
        var variables = await EnvironmentAsync(python.Installer.Resource);
        Assert.Equal(
            topology.Python!.Environment.Select(entry => (entry.Key, ((TextValue)entry.Value).Text)),
            variables.Where(variable => topology.Python.Environment.ContainsKey(variable.Key)).OrderBy(variable => variable.Key, StringComparer.Ordinal)
                .Select(variable => (variable.Key, (string)variable.Value)));
    }

    [Fact]
    public async Task Add_EverythingOfOurs_WatchesTheHost()
    {
        var model = Model(ClusterTopology.Build(new() { Home = "/home", Agents = 2 }, "/samples"));

        foreach (var resource in model.Projects.Values.Select(project => (IResource)project.Resource).Append(model.Python!.Installer.Resource))
        {
            Assert.Equal(LifeLine, (await EnvironmentAsync(resource))["CLUSTERLLM_PARENT"]);
        }
    }

    [Theory]
    [InlineData("NotStarted", null, "Missing")]
    [InlineData("Finished", 0, "Missing")]
    [InlineData("Finished", 1, "Finished")]
    [InlineData("Ready", 0, "Missing")]
    [InlineData("Running", null, "Running")]
    [InlineData("Exited", 1, "Exited")]
    [InlineData("FailedToStart", null, "FailedToStart")]
    public void Overlay_State_IsTheAgentsOnlyWhileNothingRunsAndNothingFailed(string known, int? exitCode, string shown)
    {
        var row = new LiveResource("mlx-python", LiveResourceKind.PythonEnvironment, "mlx-python")
        {
            DisplayName = "mlx-python",
            State = "Missing",
            Style = LiveStateStyle.Warning,
            Properties = [new("python.reason", "Reason", "There is no Python.")],
        };
        var snapshot = new CustomResourceSnapshot { ResourceType = "Executable", State = known, ExitCode = exitCode, Properties = [new("python.reason", "old"), new("executable.pid", 7)] };

        var overlaid = PythonResources.Overlay(snapshot, row);

        Assert.Equal(shown, overlaid.State?.Text);
        Assert.Equal(["executable.pid=7", "python.reason=There is no Python."], overlaid.Properties.Select(property => $"{property.Name}={property.Value}"));
    }

    private static AspireModel Model(ClusterTopology topology)
    {
        var watcher = new ClusterWatcher(() => null, TimeProvider.System);
        var model = new AspireModel(AspireProgram.CreateBuilder([]), new(new CommandRunner(() => null, TimeProvider.System), watcher), watcher, LifeLine);
        model.Add(topology);
        return model;
    }

    private static async Task<Dictionary<string, object>> EnvironmentAsync(IResource resource)
    {
        var variables = new Dictionary<string, object>();
        var context = new EnvironmentCallbackContext(
            new DistributedApplicationExecutionContext(DistributedApplicationOperation.Publish), resource, variables, TestContext.Current.CancellationToken);
        foreach (var callback in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await callback.Callback(context);
        }

        return variables;
    }

    private static async Task<ProcessDescription> DescribeAsync(ProjectResource resource, ProcessResource process)
    {
        var variables = await EnvironmentAsync(resource);
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
