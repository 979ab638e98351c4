namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>
/// The time of a prompt as a sum of named terms: operations over the peak of the matrix units, attention over the same peak, and a fixed cost
/// for each layer and chunk. Prefill is compute-bound, so GPU cores count and bandwidth doesn't (reference/performance.md section 5).
/// </summary>
internal static class PrefillTerms
{
    public static IEnumerable<SpeedTerm> Of(PrefillWork work, ChipFacts chip, EngineFamily family, ModelTraits model)
    {
        var engine = family == EngineFamily.Mlx ? "mlx" : "gguf";
        if (family == EngineFamily.Builtin)
        {
            yield return new SpeedTerm("compute builtin", SpeedPart.Compute, (work.Flops + work.AttentionFlops) / chip.ShaderFlops * 1e3);
            yield break;
        }

        var kind = model.IsMixtureOfExperts ? $"moe {engine}" : engine;
        var compute = work.Flops / chip.MatrixFlops * 1e3;
        var attention = work.AttentionFlops / chip.MatrixFlops * 1e3;
        yield return new SpeedTerm($"compute {kind}", SpeedPart.Compute, compute);
        yield return new SpeedTerm($"layer {kind}", SpeedPart.Layers, work.LayerPasses);
        yield return new SpeedTerm(family == EngineFamily.LlamaCppEarly ? "attention early" : $"attention {engine}", SpeedPart.Cache, attention);
        if (model.Format == WeightFormat.Half)
        {
            yield return new SpeedTerm("compute half", SpeedPart.Compute, compute);
        }
        else if (model.Format == WeightFormat.KQuant && engine == "gguf")
        {
            yield return new SpeedTerm("compute k-quant", SpeedPart.Compute, compute);
        }

        if (family == EngineFamily.LlamaCppEarly)
        {
            yield return new SpeedTerm("compute early", SpeedPart.Compute, compute);
        }

        foreach (var term in OfChip(chip, model, engine, compute))
        {
            yield return term;
        }

        if (model.Attention == AttentionKind.Hybrid)
        {
            yield return new SpeedTerm("layer hybrid", SpeedPart.Layers, work.LayerPasses);
        }
        else if (model.Attention == AttentionKind.Latent)
        {
            yield return new SpeedTerm("compute latent", SpeedPart.Compute, compute);
        }
    }

    private static IEnumerable<SpeedTerm> OfChip(ChipFacts chip, ModelTraits model, string engine, double compute)
    {
        if (chip.Die == DieClass.Ultra)
        {
            yield return new SpeedTerm("compute ultra", SpeedPart.Compute, compute);
        }

        if (chip.Generation is "M5" or "M6")
        {
            yield return new SpeedTerm(model.IsMixtureOfExperts ? "compute m5 moe" : "compute m5", SpeedPart.Compute, compute);
        }
        else if (chip.Generation is "M1" or "M2")
        {
            yield return new SpeedTerm($"compute m1 m2 {engine}", SpeedPart.Compute, compute);
        }
    }
}
