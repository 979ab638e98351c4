using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.Integration.Comparisons;

/// <summary>The one cluster of all constructed worlds: a world is a choice of its nodes.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ComparisonWorlds : ICollectionFixture<LimitedCluster>
{
    public const string Name = "comparison worlds";
}

/// <summary>
/// Eight agents, real processes, each slowed down in its way by so much that the two cores which all of them share do not matter: the model itself takes a millisecond. So the
/// truth of a world can be computed with a pencil.
/// </summary>
public sealed class LimitedCluster : IAsyncLifetime
{
    /// <summary>Bound by arithmetic: 0.75 ms for each layer and row, so 6 ms a token alone. A batch takes as much longer as it has rows, and half the layers take half the time.</summary>
    public const string Fast = "node-1";

    public const string SameFast = "node-2";

    /// <summary>As fast, but 45 ms away from the next node, and with room for half of the model.</summary>
    public const string FarAway = "node-3";

    /// <summary>1.2 ms for each layer and row.</summary>
    public const string Slower = "node-4";

    /// <summary>Bound by reading weights, 12 ms for each layer whatever the batch: 96 ms a token.</summary>
    public const string VerySlow = "node-5";

    /// <summary>The same with 40 ms: beside 320 ms a token the real hops are nothing.</summary>
    public const string Reader = "node-6";

    /// <summary>As slow, with room for half of the model.</summary>
    public const string SmallReader = "node-7";

    /// <summary>As fast as <see cref="Fast"/>, with room for half of the model.</summary>
    public const string Small = "node-8";

    // Between what a stage with all layers needs (11 MB for four short requests) and one with half of them (8 MB for eight).
    private const string TooSmall = "10000000";

    // The same for one short request: 10 MB and 6.
    private const string TooSmallForOne = "8000000";
    private const int Count = 8;
    private const int ChunkTokens = 16;

    /// <summary>What the two readers are told of their machine's power.</summary>
    public const double Watts = 5;

    /// <summary>Prints as powermetrics does, which no machine of tests has.</summary>
    private const string PowerScript = "while echo 'Combined Power (CPU + GPU + ANE): 5000 mW'; do sleep 0.3; done";

    private static readonly string PowerFile = Path.Combine(Path.GetTempPath(), $"clusterllm-power-{System.Environment.ProcessId}.sh");

    private readonly RunningCluster _cluster = new() { Demo = false, Agents = Count, EnvironmentOf = Environment };

    public HttpClient Http => _cluster.Http;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(PowerFile, PowerScript);
        await _cluster.InitializeAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await ComparisonCalls.WaitForNodesAsync(_cluster.Http, Count, limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        File.Delete(PowerFile);
    }

    private static IEnumerable<KeyValuePair<string, SettingValue>> Environment(string process) => process switch
    {
        Fast or SameFast => Limits(layer: 0, row: 0.75, hop: 1),
        FarAway => [.. Limits(layer: 0, row: 0.75, hop: 45), new("CLUSTERLLM__Node__MemoryLimitBytes", TooSmall)],
        Slower => Limits(layer: 0, row: 1.2, hop: 1),
        VerySlow => Limits(layer: 12, row: 0, hop: 1),
        Reader => [.. Limits(layer: 40, row: 0, hop: 0), .. Power()],
        SmallReader => [.. Limits(layer: 40, row: 0, hop: 0), .. Power(), new("CLUSTERLLM__Node__MemoryLimitBytes", TooSmallForOne)],
        Small => [.. Limits(layer: 0, row: 0.75, hop: 1), new("CLUSTERLLM__Node__MemoryLimitBytes", TooSmall)],
        _ => [],
    };

    private static IEnumerable<KeyValuePair<string, SettingValue>> Power() => [new("CLUSTERLLM__Node__PowerCommand", $"/bin/sh {PowerFile}")];

    /// <param name="layer">Milliseconds, like the others.</param>
    private static IEnumerable<KeyValuePair<string, SettingValue>> Limits(double layer, double row, double hop)
    {
        // Their little arithmetic needs no second thread.
        yield return new("CLUSTERLLM__Engines__Builtin__Threads", "1");
        yield return new("CLUSTERLLM__Engines__Builtin__PrefillChunkTokens", $"{ChunkTokens}");
        foreach (var (name, milliseconds) in new[] { ("LayerTime", layer), ("RowTime", row), ("HopTime", hop) })
        {
            yield return new($"CLUSTERLLM__Engines__Builtin__Artificial__{name}", TimeSpan.FromMilliseconds(milliseconds).ToString());
        }
    }
}
