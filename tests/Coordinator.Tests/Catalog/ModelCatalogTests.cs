using ClusterLlm.Coordinator.Catalog;

namespace ClusterLlm.Coordinator.Tests.Catalog;

public sealed class ModelCatalogTests
{
    // Published: model cards, llama-bench, reference tables.
    [Theory]
    [InlineData("qwen2.5-72b-4bit", 72.7, 72.7)]
    [InlineData("llama-3.3-70b-4bit", 70.55, 70.55)]
    [InlineData("llama-3.1-405b-4bit", 405.85, 405.85)]
    [InlineData("mistral-large-123b-4bit", 122.6, 122.6)]
    [InlineData("qwen3-235b-a22b-8bit", 235.1, 22)]
    [InlineData("glm-4.5-air-4bit", 106.85, 12.5)]
    [InlineData("gpt-oss-120b-mxfp4", 116.8, 5.1)]
    [InlineData("deepseek-v3-4bit", 671.03, 37)]
    [InlineData("deepseek-r1-4bit", 671.03, 37)]
    [InlineData("kimi-k2-4bit", 1026, 32)]
    [InlineData("qwen2.5-coder-32b-4bit", 32.76, 32.76)]
    [InlineData("qwen2.5-coder-14b-4bit", 14.77, 14.77)]
    public void BuiltIn_Entry_HasThePublishedParameters(string id, double totalBillions, double activeBillions)
    {
        var spec = ModelCatalog.BuiltIn.Find(id)!.Spec;

        Assert.Equal(totalBillions, spec.TotalParameters / 1e9, totalBillions * 0.005);
        Assert.Equal(activeBillions, spec.ActiveParameters / 1e9, activeBillions * 0.05);
    }

    // reference table: KV bytes per token at 16 bits; half of gpt-oss's layers keep a window only.
    [Theory]
    [InlineData("qwen2.5-72b-4bit", 327_680)]
    [InlineData("llama-3.1-405b-4bit", 516_096)]
    [InlineData("qwen2.5-coder-32b-4bit", 262_144)]
    [InlineData("qwen2.5-coder-14b-4bit", 196_608)]
    [InlineData("qwen3-235b-a22b-4bit", 192_512)]
    [InlineData("glm-4.5-air-4bit", 188_416)]
    [InlineData("deepseek-v3-4bit", 70_272)]
    [InlineData("kimi-k2-4bit", 70_272)]
    [InlineData("gpt-oss-120b-mxfp4", 36_864)]
    public void BuiltIn_Entry_HasThePublishedCacheBytes(string id, long bytesPerToken)
    {
        var layers = ModelCatalog.BuiltIn.Find(id)!.Spec.Layers;
        // Between two contexts beyond any window only the full layers grow.
        var growth = layers.Sum(layer => layer.KvElements(10_001) - layer.KvElements(10_000)) * 2;

        Assert.Equal(bytesPerToken, growth);
    }

    [Fact]
    public void BuiltIn_GptOss_WeighsWhatItsFilesWeigh() =>
        Assert.Equal(65.2e9, ModelCatalog.BuiltIn.Find("gpt-oss-120b-mxfp4")!.Spec.TotalBytes, 0.4e9);

    [Fact]
    public void Find_WithoutStorage_TakesTheSmallest() => Assert.Equal("qwen2.5-72b-4bit", ModelCatalog.BuiltIn.Find("Qwen2.5-72B")?.Id);

    [Fact]
    public void Unknown_Name_OffersTheNearest() =>
        Assert.Contains("qwen2.5-72b-4bit", ModelCatalog.BuiltIn.Unknown("qwen25-72b-4bit"), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"hidden_size": 64}""", "num_attention_heads")]
    [InlineData("""{"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 3, "num_hidden_layers": 2, "vocab_size": 9}""", "num_key_value_heads")]
    [InlineData("""{"hidden_size": -5, "num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 9}""", "hidden_size is -5")]
    [InlineData("""{"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 9, "num_experts": 4, "num_experts_per_tok": 9}""", "num_experts_per_tok is 9")]
    [InlineData("""{"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 9, "layer_types": ["full_attention"]}""", "layer_types has 1")]
    [InlineData("[]", "no JSON object")]
    [InlineData("{", "no JSON")]
    public void Read_BadConfig_NamesFieldAndValue(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<ModelConfigException>(() => ConfigReader.Read(json, "config.json")).Message, StringComparison.Ordinal);

    [Fact]
    public void Headers_ThatDisagree_WinAndAreReported()
    {
        var entry = ModelCatalog.BuiltIn.Find("qwen2.5-coder-14b-4bit")!;
        var tensors = Enumerable.Range(0, 48).Select(layer => new HeaderTensor($"model.layers.{layer}.mlp.down_proj.weight", 100_000_000))
            .Append(new HeaderTensor("model.embed_tokens.weight", 500_000_000)).Append(new HeaderTensor("lm_head.weight", 500_000_000)).ToArray();

        var spec = HeaderModel.Spec("x", entry.Geometry, new WeightStorage("4bit", 4.5, 4.5), tensors);

        Assert.Equal(48 * 100_000_000L + 1_000_000_000, spec.TotalBytes);
        Assert.Contains(HeaderModel.Differences(entry.Spec, spec), difference => difference.StartsWith("bytes of all weights", StringComparison.Ordinal));
    }

    [Fact]
    public void Headers_WithALayerMissing_SayWhich()
    {
        var entry = ModelCatalog.BuiltIn.Find("qwen2.5-coder-14b-4bit")!;
        var tensors = Enumerable.Range(0, 47).Select(layer => new HeaderTensor($"model.layers.{layer}.mlp.up_proj.weight", 1)).ToArray();

        var thrown = Assert.Throws<ModelConfigException>(() => HeaderModel.Spec("x", entry.Geometry, new WeightStorage("4bit", 4.5, 4.5), tensors));
        Assert.Contains("layer 47", thrown.Message, StringComparison.Ordinal);
    }
}
