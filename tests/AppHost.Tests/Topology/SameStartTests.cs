using System.Collections.Immutable;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Tests.Topology;

/// <summary>The standalone host starts what the description says; <c>Aspire/AspireModelTests</c> shows the same of the Aspire host.</summary>
public sealed class SameStartTests
{
    [Fact]
    public void Resolve_EachProcess_StartsWhatTheDescriptionSays()
    {
        var topology = ClusterTopology.Build(new() { Home = "/home", Agents = 2 }, "/samples");
        var resolver = new LaunchResolver(new(new Dictionary<string, string> { ["Coordinator"] = "/c.dll", ["NodeAgent"] = "/n.dll" }, "/samples"), "/home");

        foreach (var (process, description) in topology.Processes.Zip(ProcessDescription.Of(topology)))
        {
            var ports = process.Endpoints.Select((endpoint, index) => (endpoint.Name, Port: 50_001 + index)).ToDictionary(entry => entry.Name, entry => entry.Port);
            var references = LaunchResolver.References(process, Running(topology));
            Assert.NotNull(references);

            var start = resolver.Resolve(process, ports, references);

            Assert.Equal(
                description.Environment.Select(entry => $"{entry.Key}={Filled(entry.Value, ports)}"),
                start.Environment
                    .Where(entry => !OnlyStandalone(process).Contains(entry.Key))
                    .Select(entry => $"{entry.Key}={entry.Value}")
                    .Order(StringComparer.Ordinal));
        }
    }

    /// <summary>How this host learns of ports and ends its children; Aspire's orchestrator has ways of its own.</summary>
    private static string[] OnlyStandalone(ProcessResource process) => [process.ReadyFileVariable, "CLUSTERLLM_PARENT", "DOTNET_ROOT"];

    private static string Filled(string value, Dictionary<string, int> ports) =>
        ports.Aggregate(value, (text, port) => text.Replace($"{{port {port.Key}}}", $"{port.Value}", StringComparison.Ordinal));

    private static Dictionary<string, ProcessSnapshot> Running(ClusterTopology topology) => topology.Processes.ToDictionary(
        process => process.Name,
        process => new ProcessSnapshot(process.Name, ProcessState.Healthy)
        {
            Urls = process.Endpoints.ToImmutableSortedDictionary(endpoint => endpoint.Name, endpoint => $"{{{process.Name}.{endpoint.Name}}}"),
        });
}
