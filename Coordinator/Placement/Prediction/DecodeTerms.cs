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
        var engine = family == EngineFamily.Mlx ? "mlx" : "gguf";
        var weights = work.WeightBytes / chip.BandwidthBytesPerSecond * 1e3;
        yield return new SpeedTerm($"weights {engine}", SpeedPart.Weights, weights);
        yield return new SpeedTerm($"layer {engine}", SpeedPart.Layers, work.Layers);
        if (model.IsMixtureOfExperts)
        {
            yield return new SpeedTerm($"weights moe {engine}", SpeedPart.Weights, weights);
            yield return new SpeedTerm($"layer moe {engine}", SpeedPart.Layers, work.Layers);
        }

        foreach (var term in OfChip(work, chip, engine, model, weights))
        {
            yield return term;
        }

        foreach (var term in OfAttention(work, chip, family, model, engine))
        {
            yield return term;
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

    private static IEnumerable<SpeedTerm> OfChip(DecodeWork work, ChipFacts chip, string engine, ModelTraits model, double weights)
    {
        if (chip.Die == DieClass.Ultra)
        {
            yield return new SpeedTerm("weights ultra", SpeedPart.Weights, weights);
            yield return new SpeedTerm($"layer ultra {engine}", SpeedPart.Layers, work.Layers);
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
        string engine)
    {
        if (model.Attention == AttentionKind.Hybrid)
        {
            yield return new SpeedTerm($"layer hybrid {engine}", SpeedPart.Layers, work.Layers);
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
                _ => $"cache plain {engine}",
            };
        yield return new SpeedTerm(name, SpeedPart.Cache, work.KvBytes / chip.BandwidthBytesPerSecond * 1e3);
    }
}
