namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>
/// Model B of reference/performance.md as a sum of named terms, so that the predictor and the fit use one and the same formula:
/// <c>t = weights / (e × bandwidth) + f × cache / bandwidth + layers × c + operations / peak</c>, where 1/e, f and c are sums of a constant of
/// the engine and small ones of the die, the generation and the kind of model.
/// </summary>
internal static class DecodeTerms
{
    public static IEnumerable<SpeedTerm> Of(DecodeWork work, ChipFacts chip, EngineFamily family, ModelTraits model)
    {
        if (family == EngineFamily.Builtin)
        {
            return OfBuiltin(work, chip);
        }

        return OfGpu(work, chip, family, model);
    }

    private static IEnumerable<SpeedTerm> OfBuiltin(DecodeWork work, ChipFacts chip)
    {
        yield return new SpeedTerm("weights builtin", SpeedPart.Weights, work.WeightBytes / chip.BandwidthBytesPerSecond * 1e3);
        yield return new SpeedTerm("cache builtin", SpeedPart.Cache, work.KvBytes / chip.BandwidthBytesPerSecond * 1e3);
        yield return new SpeedTerm("layer builtin", SpeedPart.Layers, work.Layers);
        yield return new SpeedTerm("compute builtin", SpeedPart.Compute, (work.Flops + work.BatchFlops) / chip.ShaderFlops * 1e3);
    }

    private static IEnumerable<SpeedTerm> OfGpu(DecodeWork work, ChipFacts chip, EngineFamily family, ModelTraits model)
    {
        var engine = family == EngineFamily.Mlx ? TermNames.Mlx : TermNames.Gguf;
        var weights = work.WeightBytes / chip.BandwidthBytesPerSecond * 1e3;
        yield return new SpeedTerm(engine.Weights, SpeedPart.Weights, weights);
        yield return new SpeedTerm(engine.Layer, SpeedPart.Layers, work.Layers);
        if (model.IsMixtureOfExperts)
        {
            yield return new SpeedTerm(engine.MoeWeights, SpeedPart.Weights, weights);
            yield return new SpeedTerm(engine.MoeLayer, SpeedPart.Layers, work.Layers);
        }

        foreach (var term in OfChip(work, chip, engine, model, weights))
        {
            yield return term;
        }

        foreach (var term in OfAttention(work, chip, family, model, engine))
        {
            yield return term;
        }

        if (work.BatchFlops > 0)
        {
            // One sequence waits for memory; further ones share the weights and wait for the shaders.
            yield return new SpeedTerm("compute batch", SpeedPart.Compute, work.BatchFlops / chip.ShaderFlops * 1e3);
        }

        if (family == EngineFamily.Mlx)
        {
            yield break;
        }

        // llama.cpp unpacks weights in the shaders: at 4 bits that takes longer than reading them on chips with few cores for their bandwidth.
        var compute = work.Flops / chip.ShaderFlops * 1e3;
        yield return new SpeedTerm("compute gguf", SpeedPart.Compute, compute);
        if (family == EngineFamily.LlamaCppEarly)
        {
            yield return new SpeedTerm("compute early", SpeedPart.Compute, compute);
        }

        if (family == EngineFamily.LlamaCppWrapped)
        {
            yield return new SpeedTerm("compute wrapped", SpeedPart.Compute, compute);
        }
    }

    private static IEnumerable<SpeedTerm> OfChip(DecodeWork work, ChipFacts chip, TermNames engine, ModelTraits model, double weights)
    {
        if (chip.Die == DieClass.Ultra)
        {
            yield return new SpeedTerm("weights ultra", SpeedPart.Weights, weights);
            yield return new SpeedTerm(engine.UltraLayer, SpeedPart.Layers, work.Layers);
            if (model.IsMixtureOfExperts)
            {
                yield return new SpeedTerm("layer moe ultra", SpeedPart.Layers, work.Layers);
            }
        }

        if (chip.Generation is "M1")
        {
            yield return new SpeedTerm("layer m1", SpeedPart.Layers, work.Layers);
        }
        else if (chip.Generation is "M5" or "M6")
        {
            yield return new SpeedTerm("layer m5", SpeedPart.Layers, work.Layers);
        }
    }

    private static IEnumerable<SpeedTerm> OfAttention(
        DecodeWork work,
        ChipFacts chip,
        EngineFamily family,
        ModelTraits model,
        TermNames engine)
    {
        if (model.Attention == AttentionKind.Hybrid)
        {
            yield return new SpeedTerm(engine.HybridLayer, SpeedPart.Layers, work.Layers);
        }
        else if (model.Attention == AttentionKind.Latent)
        {
            yield return new SpeedTerm("layer latent", SpeedPart.Layers, work.Layers);
        }

        var name = family == EngineFamily.LlamaCppEarly
            ? "cache early"
            : model.Attention switch
            {
                AttentionKind.Latent => "cache latent",
                AttentionKind.Sliding => "cache sliding",
                _ => engine.PlainCache,
            };
        yield return new SpeedTerm(name, SpeedPart.Cache, work.KvBytes / chip.BandwidthBytesPerSecond * 1e3);
    }
}

/// <summary>The names of an engine's constants, made once: a search asks for them thousands of times.</summary>
internal sealed record TermNames(
    string Weights, string Layer, string MoeWeights, string MoeLayer, string UltraLayer, string HybridLayer, string PlainCache)
{
    public static TermNames Mlx { get; } = For("mlx");

    public static TermNames Gguf { get; } = For("gguf");

    private static TermNames For(string engine) => new(
        $"weights {engine}",
        $"layer {engine}",
        $"weights moe {engine}",
        $"layer moe {engine}",
        $"layer ultra {engine}",
        $"layer hybrid {engine}",
        $"cache plain {engine}");
}
