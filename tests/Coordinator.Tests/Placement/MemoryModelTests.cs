using System.Globalization;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Coordinator.Tests.Placement;

public sealed class MemoryModelTests
{
    /// <summary>What ran is accepted, by the conservative limit of its memory size.</summary>
    [Fact]
    public void Rows_OfOneNodeWithKnownMemory_AreAllAccepted()
    {
        var judged = Judged().ToArray();

        Assert.True(judged.Length > 140, $"only {judged.Length} rows could be judged");
        Assert.Empty(judged.Where(row => row.NeededBytes > row.LimitBytes).Select(row =>
            FormattableString.Invariant($"{row.Id}: {row.NeededBytes / 1e9:0.00} GB needed, {row.LimitBytes / 1e9:0.00} GB allowed")));
    }

    // What its sources report as failing or swapping.
    [Theory]
    [InlineData("llama2-13b", 8.5, 16, "llama.cpp")] // one 16 GB mini can't load it (CAM192)
    [InlineData("llama3-70b", 4.82, 8, "llama.cpp")] // prima.cpp's table: 0.1 tok/s from disk
    [InlineData("llama3-70b", 16, 128, "mlx")]
    [InlineData("qwen2.5-72b", 4.5, 48, "mlx")]
    [InlineData("deepseek-v3", 8.5, 512, "mlx")] // performance.md section 4: 8-bit can't sit on one 512 GB node
    [InlineData("kimi-k2", 5.51, 512, "mlx")]
    [InlineData("llama3.1-405b", 16, 512, "mlx")]
    public void Model_ThatIsKnownNotToFit_IsRefusedWithNumbers(string model, double bits, int gigabytes, string engine)
    {
        var result = PlacementPlanner.Plan(Cluster(gigabytes, engine), MeasuredModels.Spec(model, bits, "") with { MaxContextTokens = 0 }, Request(2048));

        var refused = Assert.IsType<PlacementResult.Refused>(result);
        Assert.True(refused.Rejections[0].Needed > refused.Rejections[0].Available);
        Assert.Contains("missing", refused.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("deepseek-v3-4bit", 512)]
    [InlineData("qwen2.5-72b-4bit", 64)]
    public void Model_ThatIsKnownToRun_IsPlannedOnOneNode(string model, int gigabytes)
    {
        var plan = PlacementBuilders.Planned(PlacementPlanner.Plan(Cluster(gigabytes, "mlx"), ModelCatalog.BuiltIn.Find(model)!.Spec, Request(4096)));

        Assert.Single(plan.Stages);
    }

    [Fact]
    public void Stage_OfTheMiddle_NeedsNeitherEmbeddingNorHead()
    {
        var model = PlacementBuilders.Model(12, embeddingBytes: PlacementBuilders.Gigabyte);
        var memory = EngineMemory.Mlx;

        var parts = new[] { (0, 4), (4, 8), (8, 12) }.Select(range => memory.ForStage(model, range.Item1, range.Item2, 1000, 3).WeightBytes);

        Assert.Equal([5 * PlacementBuilders.Gigabyte, 4 * PlacementBuilders.Gigabyte, 5 * PlacementBuilders.Gigabyte], parts);
        // 1000 tokens are 4 steps of 256; 2048 elements of 2 bytes, 12 layers, 3 sequences.
        Assert.Equal(1024L * 2048 * 2 * 12 * 3, memory.ForStage(model, 0, 12, 1000, 3).KvCacheBytes);
        Assert.Equal(1024L * 2048 * 4 * 12 * 3, memory.ForStage(model with { IsFloat32 = true }, 0, 12, 1000, 3).KvCacheBytes);
    }

    private static IEnumerable<(string Id, long NeededBytes, long LimitBytes)> Judged()
    {
        foreach (var row in MeasurementTable.BuiltIn.Where(row => row.IsSingle && Exclusions.ReasonFromModel(row) is null))
        {
            if (double.TryParse(row.Memory.Split('/')[0], CultureInfo.InvariantCulture, out var gigabytes))
            {
                var model = MeasuredModels.Spec(row.ModelKey, row.BitsPerWeight!.Value, row.Quant);
                var context = (int)Math.Max(RowReading.PromptTokens(row) ?? 0, RowReading.ContextTokens(row)) + 256;
                var engine = RowReading.Family(row) == EngineFamily.Mlx ? "mlx" : "llama.cpp";
                var needed = EngineMemory.For(engine).ForStage(model, 0, model.LayerCount, context, row.Concurrency ?? 1);
                yield return (row.Id, needed.TotalBytes, WiredLimit.DefaultBytes((long)gigabytes << 30));
            }
        }
    }

    private static ClusterSnapshot Cluster(int gigabytes, string engine) =>
        new([PlacementBuilders.Node("mac", WiredLimit.DefaultBytes((long)gigabytes << 30), "Apple M3 Ultra", engines: [engine])], [])
        {
            Knowledge = BuiltInKnowledge.Planning,
        };

    private static PlacementRequest Request(int context) => new(PlacementObjective.Latency, context, 1, "auto", [], []);
}
