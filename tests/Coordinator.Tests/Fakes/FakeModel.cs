using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Tests.Fakes;

/// <summary>Descriptions of models that do not exist.</summary>
internal static class FakeModel
{
    /// <summary>A small dense Llama.</summary>
    /// <param name="layerBytes">Weights of each layer.</param>
    public static ModelDescription Llama(string id = "tiny", uint layers = 6, ulong layerBytes = 1_000_000, string fingerprint = "f1")
    {
        var model = new ModelDescription
        {
            ModelId = id,
            Path = $"/models/{id}",
            Architecture = "LlamaForCausalLM",
            ModelType = "llama",
            LayerCount = layers,
            HiddenSize = 64,
            AttentionHeads = 4,
            KvHeads = 2,
            HeadDim = 16,
            VocabularySize = 512,
            MaxContextTokens = 2048,
            WeightFormat = "bf16",
            EmbeddingBytes = 65_536,
            FinalNormBytes = 128,
            TiedEmbeddings = true,
            TotalBytes = (layers * layerBytes) + 65_664,
            ConfigJson = """{"intermediate_size": 128}""",
            Fingerprint = fingerprint,
            Engines = { new EngineSupport { Engine = "builtin", Supported = true } },
            Files = { new ModelFile { Name = "model.safetensors", Bytes = (layers * layerBytes) + 65_664 } },
        };
        model.LayerBytes.AddRange(Enumerable.Repeat(layerBytes, (int)layers));
        return model;
    }
}
