using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>Maps model folders to the wire, with what each engine of this node says about them.</summary>
internal sealed class ModelMapping(EngineRegistry engines)
{
    public Proto.ModelDescription ToProto(ModelFolder model)
    {
        var (config, layout) = (model.Config, model.Layout);
        return new Proto.ModelDescription
        {
            ModelId = model.Id,
            Path = model.Path,
            Architecture = config.Architecture,
            ModelType = config.ModelType,
            LayerCount = (uint)config.LayerCount,
            HiddenSize = (uint)config.HiddenSize,
            AttentionHeads = (uint)config.AttentionHeads,
            KvHeads = (uint)config.KvHeads,
            HeadDim = (uint)config.HeadDim,
            VocabularySize = (uint)config.VocabularySize,
            MaxContextTokens = (uint)config.MaxContextTokens,
            WeightFormat = model.WeightFormat,
            LayerBytes = { layout.LayerBytes.Select(bytes => (ulong)bytes) },
            EmbeddingBytes = (ulong)layout.EmbeddingBytes,
            HeadBytes = (ulong)layout.HeadBytes,
            FinalNormBytes = (ulong)layout.FinalNormBytes,
            TiedEmbeddings = layout.TiedEmbeddings,
            TotalBytes = (ulong)layout.TotalBytes,
            Engines = { engines.All.Select(engine => Support(engine, model)) },
            Files = { model.Files.Select(file => new Proto.ModelFile { Name = file.Name, Bytes = (ulong)file.ByteCount }) },
            ConfigJson = model.ConfigJson,
            Fingerprint = model.Fingerprint,
        };
    }

    private static Proto.EngineSupport Support(IEngine engine, ModelFolder model)
    {
        var verdict = engine.Supports(model);
        return new Proto.EngineSupport { Engine = engine.Name, Supported = verdict.IsSupported, Reason = verdict.Reason ?? "" };
    }
}
