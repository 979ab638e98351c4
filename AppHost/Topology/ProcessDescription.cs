using System.Collections.Immutable;
using ClusterLlm.AppHost.Commands;

namespace ClusterLlm.AppHost.Topology;

/// <summary>What a host is to start for one process, as text that does not depend on the host: ports and addresses appear by name.</summary>
/// <param name="Environment">Variable to value; <c>{name.endpoint}</c> is an address, <c>{port endpoint}</c> the process's own port.</param>
/// <param name="Endpoints">Names, in order.</param>
/// <param name="WaitFor">Processes that must be healthy before.</param>
/// <param name="Health">Endpoint and path of the health check.</param>
/// <param name="Commands">Names of the commands that its row offers.</param>
internal sealed record ProcessDescription(
    string Name,
    string Project,
    ImmutableSortedDictionary<string, string> Environment,
    ImmutableArray<string> Endpoints,
    ImmutableArray<string> WaitFor,
    string Health,
    ImmutableArray<string> Commands)
{
    public static ImmutableArray<ProcessDescription> Of(ClusterTopology topology) => [.. topology.Processes.Select(Of)];

    /// <summary>One line for each fact: what tests compare.</summary>
    public IEnumerable<string> ToLines() =>
    [
        $"{Name} runs {Project}",
        .. Environment.Select(entry => $"{Name} {entry.Key}={entry.Value}"),
        .. Endpoints.Select(endpoint => $"{Name} listens on {endpoint}"),
        .. WaitFor.Select(dependency => $"{Name} waits for {dependency}"),
        $"{Name} is healthy by {Health}",
        .. Commands.Select(command => $"{Name} offers {command}"),
    ];

    private static ProcessDescription Of(ProcessResource process) => new(
        process.Name,
        process.Project,
        process.Environment
            .ToImmutableSortedDictionary(entry => entry.Key, entry => entry.Value switch
            {
                EndpointValue reference => $"{{{reference.Process}.{reference.Endpoint}}}",
                TextValue text => text.Text,
                _ => throw new InvalidOperationException($"{entry.Key} of {process.Name} is a {entry.Value.GetType().Name}."),
            })
            .AddRange(process.Endpoints.Select(endpoint => KeyValuePair.Create(endpoint.PortVariable, $"{{port {endpoint.Name}}}"))),
        [.. process.Endpoints.Select(endpoint => endpoint.Name)],
        process.WaitFor,
        $"{process.HealthEndpoint}{process.HealthPath}",
        [.. ClusterCommands.For(process.Name == ClusterTopology.Coordinator ? CommandTarget.Coordinator : CommandTarget.Node).Select(command => command.Name)]);
}
