using System.Text;
using System.Text.Json.Nodes;

namespace ClusterLlm.ModelFiles.Tests.Configuration;

public class ModelConfigTests
{
    private const string Llama = """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":64,"intermediate_size":128,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":100}
        """;

    [Fact]
    public void Parse_OnlyNeededFields_HasTheDefaultsOfTransformers()
    {
        var config = Parse(Llama);

        Assert.Equal((4, 16, 2048, 1e-6, 10_000.0), (config.KvHeads, config.HeadDim, config.MaxContextTokens, config.RmsNormEpsilon, config.RopeTheta));
        Assert.Equal(
            (false, false, false, false, "silu"),
            (config.TiedEmbeddings, config.TiedEmbeddingsStated, config.AttentionBias, config.MlpBias, config.HiddenActivation));
        Assert.Empty(config.EosTokenIds);
        Assert.Null(config.SlidingWindow);
    }

    [Fact]
    public void Parse_Qwen2_AlwaysHasABiasOnQkvOnly()
    {
        var config = Parse(Llama.Replace("\"llama\"", "\"qwen2\"", StringComparison.Ordinal));

        Assert.Equal((true, false), (config.AttentionBias, config.AttentionOutputBias));
    }

    [Theory]
    [InlineData("qwen2", """{"sliding_window":4096,"use_sliding_window":false}""", null)]
    [InlineData("qwen2", """{"sliding_window":4096}""", null)]
    [InlineData("qwen2", """{"sliding_window":4096,"use_sliding_window":true}""", 4096)]
    [InlineData("mistral", """{"sliding_window":4096}""", 4096)]
    [InlineData("mistral", """{"sliding_window":null}""", null)]
    public void Parse_SlidingWindow_CountsAsTheFamilyHasIt(string type, string fields, int? window) =>
        Assert.Equal(window, Parse(With(fields, type)).SlidingWindow);

    [Theory]
    [InlineData("""{"rope_theta":500000.0,"rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192}}""")]
    [InlineData("""{"rope_parameters":{"rope_theta":500000.0,"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192}}""")]
    [InlineData("""{"rope_parameters":{"full_attention":{"rope_theta":500000.0,"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192},"sliding_attention":{"rope_theta":1}}}""")]
    public void Parse_RopeInEveryForm_IsTheSame(string fields)
    {
        var config = Parse(With(fields));

        Assert.Equal(500_000, config.RopeTheta);
        Assert.Equal(
            ("llama3", 8.0, 1.0, 4.0, 8192),
            (config.RopeScaling!.Type, config.RopeScaling.Factor, config.RopeScaling.LowFrequencyFactor, config.RopeScaling.HighFrequencyFactor, config.RopeScaling.OriginalMaxTokens));
    }

    [Theory]
    [InlineData("""{"rope_scaling":null}""")]
    [InlineData("""{"rope_scaling":{"rope_type":"default"}}""")]
    public void Parse_PlainRope_HasNoScaling(string fields) => Assert.Null(Parse(With(fields)).RopeScaling);

    [Fact]
    public void Parse_NestedTextModel_ReadsItsFields()
    {
        var config = Parse($$"""{"model_type":"gemma3","tie_word_embeddings":true,"eos_token_id":[1,106],"text_config":{{Llama.Replace("\"model_type\":\"llama\",", "", StringComparison.Ordinal)}}}""");

        Assert.Equal(("gemma3", 64, true), (config.ModelType, config.HiddenSize, config.TiedEmbeddings));
        Assert.Equal([1, 106], config.EosTokenIds);
    }

    [Fact]
    public void Quantization_WithOverrides_GivesEachModuleItsOwn()
    {
        var quantization = Parse(With(
            """{"quantization":{"group_size":64,"bits":4,"model.embed_tokens":{"bits":8},"lm_head":false,"model.layers.0.mlp.up_proj":true}}""")).Quantization!;

        Assert.Equal(new WeightPacking(64, 4, "affine"), quantization.Default);
        Assert.Equal(new WeightPacking(64, 8, "affine"), quantization.For("model.embed_tokens"));
        Assert.Equal(new WeightPacking(64, 4, "affine"), quantization.For("model.layers.0.mlp.up_proj"));
        Assert.Null(quantization.For("lm_head"));
    }

    [Fact]
    public void Quantization_OfAnotherTool_HasItsName() =>
        Assert.Equal(("gptq", (WeightPacking?)null), Parse(With("""{"quantization_config":{"quant_method":"gptq","bits":4,"group_size":128}}""")).Quantization is { } found ? (found.Method, found.Default) : default);

    [Theory]
    [InlineData("""{"hidden_size":null}""", "hidden_size", "is missing")]
    [InlineData("""{"hidden_size":-1}""", "hidden_size", "-1")]
    [InlineData("""{"hidden_size":64.5}""", "hidden_size", "64.5")]
    [InlineData("""{"hidden_size":1e400}""", "hidden_size", "1e400")]
    [InlineData("""{"num_hidden_layers":"2"}""", "num_hidden_layers", "\"2\"")]
    [InlineData("""{"num_hidden_layers":99999999}""", "num_hidden_layers", "99999999")]
    [InlineData("""{"num_key_value_heads":3}""", "num_key_value_heads", "does not divide num_attention_heads, 4")]
    [InlineData("""{"num_attention_heads":5}""", "head_dim", "no multiple of num_attention_heads, 5")]
    [InlineData("""{"rms_norm_eps":true}""", "rms_norm_eps", "true")]
    [InlineData("""{"tie_word_embeddings":"yes"}""", "tie_word_embeddings", "\"yes\"")]
    [InlineData("""{"eos_token_id":[1,"2"]}""", "eos_token_id[1]", "\"2\"")]
    [InlineData("""{"rope_scaling":[]}""", "rope_scaling", "an array")]
    [InlineData("""{"rope_scaling":{"type":"yarn"}}""", "rope_scaling.factor", "'yarn'")]
    [InlineData("""{"quantization":{"bits":4}}""", "quantization.group_size", "is missing")]
    [InlineData("""{"model_type":null}""", "model_type", "is missing")]
    [InlineData("""{"architectures":"Llama"}""", "architectures", "\"Llama\"")]
    public void Parse_WrongField_NamesFieldAndValue(string fields, string item, string problem)
    {
        var error = Assert.Throws<ModelFileException>(() => Parse(With(fields)));

        Assert.Equal(item, error.Item);
        Assert.StartsWith("config.json: " + item, error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("null")]
    public void Parse_NoObject_NamesTheFile(string json) => Assert.StartsWith("config.json: ", Assert.Throws<ModelFileException>(() => Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void GenerationDefaults_OfAFile_AreRead()
    {
        var defaults = GenerationDefaults.Parse(
            """{"do_sample":true,"temperature":0.7,"top_p":0.8,"top_k":20,"repetition_penalty":1.05,"eos_token_id":[1,2],"max_new_tokens":400}"""u8.ToArray(), "generation_config.json");

        Assert.Equal((true, 0.7, 0.8, 20, null, 1.05, 400), (defaults.DoSample, defaults.Temperature, defaults.TopP, defaults.TopK, defaults.MinP, defaults.RepetitionPenalty, defaults.MaxNewTokens));
        Assert.Equal([1, 2], defaults.EosTokenIds);
    }

    private static ModelConfig Parse(string json) => ModelConfig.Parse(Encoding.UTF8.GetBytes(json), "config.json");

    private static string With(string fields, string type = "llama")
    {
        // As text: 1e400 would not survive a number type.
        var names = JsonNode.Parse(fields.Replace("1e400", "1", StringComparison.Ordinal))!.AsObject().Select(entry => entry.Key).ToHashSet();
        var rest = JsonNode.Parse(Llama)!.AsObject();
        rest["model_type"] = type;
        foreach (var name in names)
        {
            rest.Remove(name);
        }

        return rest.ToJsonString()[..^1] + "," + fields.Trim()[1..];
    }
}
