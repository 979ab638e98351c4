using System.Collections.Immutable;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Coordinator.Placement.Search;
using FsCheck;
using FsCheck.Fluent;

namespace ClusterLlm.Coordinator.Tests.Placement;

/// <summary>A random small planning problem: Macs of several kinds, a model with uneven layers, measured links or none.</summary>
internal sealed record PlanningCase(ClusterSnapshot Cluster, ModelSpec Model, PlacementRequest Request)
{
    private static readonly string[] Chips = ["Apple M1 Max", "Apple M2 Ultra", "Apple M3", "Apple M4 Pro", "Apple M4 Max", "Something Else"];

    public ProblemBuilder Builder(string engine) =>
        new(Cluster, Cluster.Knowledge!, EngineFacts.Of(engine), [.. Cluster.Nodes.OrderBy(node => node.NodeId, StringComparer.Ordinal)], Model, Request);

    public override string ToString() =>
        $"{Request.Objective} x{Request.Concurrency} ctx {Request.ContextTokens}, {Model.LayerCount} layers of [{string.Join(", ", Model.Layers.Select(layer => layer.WeightBytes / 1_000_000))}] MB, "
        + $"{string.Join("; ", Cluster.Nodes.Select(node => $"{node.NodeId} {node.Chip} {node.MemoryUsableBytes / 1_000_000} MB"))}, {Cluster.Links.Length} links, {string.Join("/", Cluster.Nodes[0].Engines)}";

    public static Arbitrary<PlanningCase> Small(int mostNodes, int mostLayers) => Generator(mostNodes, mostLayers).ToArbitrary();

    private static Gen<PlanningCase> Generator(int mostNodes, int mostLayers) =>
        from count in Gen.Choose(1, mostNodes)
        from layers in Gen.Choose(1, mostLayers)
        from layerMegabytes in Gen.Choose(50, 2000).ListOf(layers)
        from isUniform in Gen.Elements(true, false)
        from kinds in Gen.Choose(0, Chips.Length - 1).ListOf(count)
        from gigabytes in Gen.Choose(1, 14).ListOf(count)
        from engine in Gen.Elements("mlx", "builtin")
        from linkMicroseconds in Gen.Choose(50, 40_000).ListOf(count * count)
        from isMeasured in Gen.Elements(true, false)
        from objective in Gen.Elements(PlacementObjective.Latency, PlacementObjective.Throughput, PlacementObjective.Capacity)
        from concurrency in Gen.Choose(1, 6)
        from context in Gen.Choose(64, 4096)
        select new PlanningCase(
            new ClusterSnapshot(
                [.. kinds.Zip(gigabytes).Select((pair, index) => PlacementBuilders.Node($"n{index}", pair.Second * PlacementBuilders.Gigabyte, Chips[pair.First], engines: [engine]))],
                isMeasured ? Links(count, [.. linkMicroseconds]) : [])
            { Knowledge = BuiltInKnowledge.Planning },
            Layered(isUniform ? [.. Enumerable.Repeat(layerMegabytes[0], layers)] : [.. layerMegabytes]),
            new PlacementRequest(objective, context, concurrency, "auto", [], []));

    private static ImmutableArray<LinkMeasurement> Links(int count, int[] microseconds) =>
    [
        .. from left in Enumerable.Range(0, count)
           from right in Enumerable.Range(left + 1, count - left - 1)
           select new LinkMeasurement($"n{left}", $"n{right}", TimeSpan.FromMicroseconds(microseconds[(left * count) + right]), 1e9),
    ];

    private static ModelSpec Layered(int[] layerMegabytes) => PlacementBuilders.Model(layerMegabytes.Length, embeddingBytes: 100_000_000, maxContext: 8192) with
    {
        Layers = [.. layerMegabytes.Select(megabytes => new LayerSpec(megabytes * 1_000_000L, megabytes * 1_000_000L, 2048, 0, 0))],
        TotalParameters = layerMegabytes.Sum() * 2e6,
        ActiveParameters = layerMegabytes.Sum() * 2e6,
    };
}
