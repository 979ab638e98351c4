using System.Collections.Immutable;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Tests.Fakes;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Tests.Models;

public sealed class ModelMatchingTests
{
    [Fact]
    public void FindKnown_OneNodeWithout_IsUnfit()
    {
        var found = ModelMatching.FindKnown("tiny", [Inventory("a", FakeModel.Llama()), Inventory("b")])!;
        Assert.Equal(["a"], found.Holders.Keys);
        Assert.Contains("does not have the files of model 'tiny'", found.Unfit["b"], StringComparison.Ordinal);
    }

    [Fact]
    public void FindKnown_DifferentFiles_MostOfThemWin()
    {
        var found = ModelMatching.FindKnown("tiny",
        [
            Inventory("a", FakeModel.Llama(fingerprint: "old")), Inventory("b", FakeModel.Llama(fingerprint: "new")), Inventory("c", FakeModel.Llama(fingerprint: "new")),
        ])!;
        Assert.Equal(["b", "c"], found.Holders.Keys);
        Assert.Contains("old instead of new", found.Unfit["a"], StringComparison.Ordinal);
    }

    [Fact]
    public void FindKnown_EvenSplit_GoesToTheFirstNode()
    {
        var inventories = new[] { Inventory("b", FakeModel.Llama(fingerprint: "2")), Inventory("a", FakeModel.Llama(fingerprint: "1")) };
        Assert.Equal(["a"], ModelMatching.FindKnown("tiny", inventories)!.Holders.Keys);
        Assert.Equal(["a"], ModelMatching.FindKnown("tiny", inventories.Reverse())!.Holders.Keys);
    }

    [Fact]
    public void FindKnown_ByFolder_Works() => Assert.NotNull(ModelMatching.FindKnown("/models/tiny", [Inventory("a", FakeModel.Llama())]));

    [Fact]
    public void Unknown_NamesNearModels()
    {
        var unknown = ModelMatching.Unknown("smollm2-135m-instruct", [Inventory("a", FakeModel.Llama("SmolLM2-135M-Instruct-4bit"), FakeModel.Llama())]);
        Assert.Equal(["SmolLM2-135M-Instruct-4bit"], unknown.Nearest);
        Assert.Contains("smollm2-135m-instruct", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Views_DifferentFiles_AreReported()
    {
        var view = ModelViews.From([Inventory("a", FakeModel.Llama(fingerprint: "1")), Inventory("b", FakeModel.Llama(fingerprint: "2"))]);
        var model = Assert.Single(view.Models);
        Assert.False(model.Consistent);
        Assert.Equal(["a", "b"], model.Nodes.Select(node => node.NodeId));
        Assert.Equal("b", Assert.Single(view.Problems).NodeId);
    }

    [Theory]
    [InlineData("""{"torch_dtype": "float32"}""", true)]
    [InlineData("""{"dtype": "float32"}""", true)]
    [InlineData("""{"torch_dtype": "bfloat16"}""", false)]
    [InlineData("""{"torch_dtype": 32}""", false)]
    [InlineData("{", false)]
    [InlineData("", false)]
    public void ToSpec_TypeOfTheConfig_DecidesTheWidthOfCaches(string config, bool expected)
    {
        var model = FakeModel.Llama();
        model.ConfigJson = config;

        Assert.Equal(expected, model.ToSpec().IsFloat32);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("not json", 0)]
    [InlineData("[]", 0)]
    [InlineData("""{"intermediate_size": "wide"}""", 0)]
    [InlineData("""{"intermediate_size": 128, "intermediate_size": 256}""", 256)]
    public void ToSpec_AnyConfig_TakesWhatIsThere(string config, int expected)
    {
        var model = FakeModel.Llama();
        model.ConfigJson = config;
        Assert.Equal(expected, model.ToSpec().IntermediateSize);
    }

    [Fact]
    public void ToSpec_KeepsEveryByte()
    {
        var model = FakeModel.Llama();
        var spec = model.ToSpec();
        Assert.Equal((long)model.TotalBytes, spec.TotalBytes);
        Assert.Equal(2 * 2 * 16, spec.Layers[0].KvElementsPerToken);
    }

    private static NodeInventory Inventory(string nodeId, params ModelDescription[] models) =>
        new(nodeId, "instance", DateTimeOffset.UnixEpoch, [.. models], ImmutableArray<ModelProblem>.Empty);
}
