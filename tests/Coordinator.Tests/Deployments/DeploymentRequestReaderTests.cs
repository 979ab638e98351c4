using System.Text;
using System.Text.Json;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Placement;
using FsCheck.Xunit;

namespace ClusterLlm.Coordinator.Tests.Deployments;

public sealed class DeploymentRequestReaderTests
{
    [Fact]
    public void Read_OnlyModel_TakesDefaults()
    {
        var spec = Read("""{"model": "Qwen2.5-0.5B-Instruct-4bit"}""").Spec!;
        Assert.Equal("qwen2-5-0-5b-instruct-4bit", spec.Name);
        Assert.Equal((PlacementObjective.Latency, 0, 4, "auto"), (spec.Objective, spec.ContextTokens, spec.Concurrency, spec.Engine));
        Assert.Empty(spec.Nodes);
        Assert.Empty(spec.Layers);
        Assert.False(spec.UseAllNodes);
    }

    [Fact]
    public void Read_NodesWithoutObjective_MeansAllOfThem() => Assert.True(Read("""{"model": "m", "nodes": ["a", "b"]}""").Spec!.UseAllNodes);

    [Fact]
    public void Read_Layers_KeepTheirOrder() => Assert.Equal(
        [new ManualStage("z", 0, 2), new ManualStage("a", 2, 5), new ManualStage("m", 5, 6)],
        Read("""{"model": "m", "layers": {"z": [0, 2], "a": [2, 5], "m": [5, 6]}}""").Spec!.Layers);

    [Fact]
    public void Read_Constraints_ReachThePlanner()
    {
        var request = Read("""
            {"model": "m", "useAllNodes": true, "excludeNodes": ["b"], "memoryCapBytes": {"a": 5}, "reserveBytes": 7,
             "pinnedLayers": {"a": [0, 2]}, "promptTokens": 50, "link": "thunderbolt5"}
            """).Spec!.ToRequest(4096);
        Assert.True(request.UseAllNodes);
        Assert.Equal(["b"], request.ExcludedNodes);
        Assert.Equal(5, request.MemoryCapBytes["a"]);
        Assert.Equal([new ManualStage("a", 0, 2)], request.PinnedLayers);
        Assert.Equal((4096, 7, 50, "thunderbolt5"), (request.ContextTokens, request.ReserveBytes, request.PromptTokens, request.Link));
    }

    [Fact]
    public void Spec_StoredBeforeThereWereConstraints_HasNone() => Assert.Equal(
        PlanConstraints.None, JsonSerializer.Deserialize<DeploymentSpec>("""{"Name": "n", "Model": "m", "Engine": "auto", "Nodes": [], "Layers": []}""")!.Constraints);

    [Theory]
    [InlineData("""{"model": "m", "retryBadPlan": "yes"}""", "retryBadPlan", "give true or false")]
    [InlineData("""{"model": "m", "useAllNodes": 1}""", "useAllNodes", "give true or false")]
    [InlineData("""{"model": "m", "excludeNodes": "b"}""", "excludeNodes", "give node ids")]
    [InlineData("""{"model": "m", "reserveBytes": -1}""", "reserveBytes", "-1")]
    [InlineData("""{"model": "m", "memoryCapBytes": {"a": "much"}}""", "memoryCapBytes.a", "much")]
    [InlineData("", "body", "not valid JSON")]
    [InlineData("{", "body", "not valid JSON")]
    [InlineData("[1]", "body", "send a JSON object")]
    [InlineData("null", "body", "send a JSON object")]
    [InlineData("{}", "model", "missing")]
    [InlineData("""{"model": 7}""", "model", "model is 7")]
    [InlineData("""{"model": "m", "modle": "x"}""", "modle", "'model' is near")]
    [InlineData("""{"model": "m", "name": "Has Space"}""", "name", "name is 'Has Space'")]
    [InlineData("""{"model": "m", "name": "-x"}""", "name", "'-x'")]
    [InlineData("""{"model": "m", "objective": "fast"}""", "objective", "latency, throughput, capacity")]
    [InlineData("""{"model": "m", "objective": "0"}""", "objective", "objective is '0'")]
    [InlineData("""{"model": "m", "contextTokens": 0}""", "contextTokens", "contextTokens is 0")]
    [InlineData("""{"model": "m", "contextTokens": 1.5}""", "contextTokens", "1.5")]
    [InlineData("""{"model": "m", "concurrency": -1}""", "concurrency", "concurrency is -1")]
    [InlineData("""{"model": "m", "concurrency": "four"}""", "concurrency", "\"four\"")]
    [InlineData("""{"model": "m", "engine": "llama"}""", "engine", "auto, builtin, mlx, exo")]
    [InlineData("""{"model": "m", "nodes": "a"}""", "nodes", "give node ids")]
    [InlineData("""{"model": "m", "nodes": ["a", "a"]}""", "nodes", "2 times")]
    [InlineData("""{"model": "m", "layers": [0, 1]}""", "layers", "half-open")]
    [InlineData("""{"model": "m", "layers": {}}""", "layers", "empty")]
    [InlineData("""{"model": "m", "layers": {"a": [3, 3]}}""", "layers.a", "[3, 3]")]
    [InlineData("""{"model": "m", "layers": {"a": [0, 1, 2]}}""", "layers.a", "two whole numbers")]
    [InlineData("""{"model": "m", "layers": {"a": [0, 1e99]}}""", "layers.a", "1e99")]
    [InlineData("""{"model": "m", "model": "n"}""", "body", "not valid JSON")]
    public void Read_BadInput_NamesFieldAndValue(string json, string field, string part)
    {
        var (spec, errors) = Read(json);
        Assert.Null(spec);
        Assert.Contains(part, Assert.Contains(field, errors)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Read_SeveralErrors_TellsAll() => Assert.Equal(
        ["concurrency", "engine", "model"], Read("""{"concurrency": 0, "engine": 3}""").Errors.Keys.Order());

    [Property]
    public bool Read_AnyBytes_NeverThrows(byte[] bytes) =>
        DeploymentRequestReader.Read(bytes) is var (spec, errors) && (spec is null) == (errors.Count > 0);

    [Property]
    public bool DefaultName_AnyModel_IsAName(string? model) => DeploymentRequestReader.IsName(DeploymentRequestReader.DefaultName(model ?? ""));

    private static DeploymentRequestResult Read(string json) => DeploymentRequestReader.Read(Encoding.UTF8.GetBytes(json));
}
