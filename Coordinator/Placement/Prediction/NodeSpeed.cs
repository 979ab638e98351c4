namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>Decode time of a node's layers, by the fitted constants or by the machine's own calibration.</summary>
internal static class NodeSpeed
{
    /// <summary>Milliseconds by part of one decode step for the layers [first, end) on a node, hops not included.</summary>
    public static StepTime Decode(
        NodeCapacity node,
        PlanningKnowledge knowledge,
        EngineFacts engine,
        ModelSpec model,
        int first,
        int end,
        double contextTokens,
        int sequences) =>
        Of(node, knowledge, engine, model, ModelWork.Decode(model, first, end, contextTokens, sequences));

    /// <summary>Milliseconds of one layer alone.</summary>
    public static double Layer(
        NodeCapacity node,
        PlanningKnowledge knowledge,
        EngineFacts engine,
        ModelSpec model,
        int layer,
        double contextTokens,
        int sequences) =>
        Of(node, knowledge, engine, model, ModelWork.Layers(model, layer, layer + 1, contextTokens, sequences)).Total;

    /// <summary>Milliseconds of the output head and the last norm.</summary>
    public static StepTime Head(NodeCapacity node, PlanningKnowledge knowledge, EngineFacts engine, ModelSpec model) =>
        Of(node, knowledge, engine, model, new DecodeWork(ModelWork.HeadBytes(model), 0, 0, 0, 0));

    public static double PrefillMilliseconds(
        NodeCapacity node, PlanningKnowledge knowledge, EngineFacts engine, ModelSpec model, int first, int end, int tokens) =>
        SpeedConstants.Sum(
            knowledge.Constants.Prefill,
            PrefillTerms.Of(ModelWork.Prefill(model, first, end, tokens), knowledge.ChipOf(node), engine.Family, model.Traits));

    public static EngineCalibration? CalibrationOf(NodeCapacity node, EngineFacts engine) =>
        node.Calibrations.IsDefaultOrEmpty ? null : node.Calibrations.FirstOrDefault(one => one.Engine == engine.Name);

    private static StepTime Of(NodeCapacity node, PlanningKnowledge knowledge, EngineFacts engine, ModelSpec model, DecodeWork work)
    {
        var chip = knowledge.ChipOf(node);
        var time = new StepTime(0, 0, 0, 0);
        foreach (var term in DecodeTerms.Of(work, chip, engine.Family, model.Traits))
        {
            var milliseconds = knowledge.Constants.Decode.GetValueOrDefault(term.Name) * term.Milliseconds;
            time = term.Part switch
            {
                SpeedPart.Weights => time with { Weights = time.Weights + milliseconds },
                SpeedPart.Cache => time with { Cache = time.Cache + milliseconds },
                SpeedPart.Layers => time with { Layers = time.Layers + milliseconds },
                _ => time with { Compute = time.Compute + milliseconds },
            };
        }

        // The machine's own figures replace weights, layers and the unpacking that hides in both; the cache's factor stays the engine's.
        return CalibrationOf(node, engine) is { } own
            ? time with
            {
                Weights = work.WeightBytes / (own.BandwidthShare * chip.BandwidthBytesPerSecond) * 1e3,
                Layers = work.Layers * own.LayerMilliseconds,
                Compute = work.BatchFlops / (own.BatchFlopsPerSecond ?? BatchFlopsPerSecond(chip, knowledge, engine)) * 1e3,
            }
            : time;
    }

    private static double BatchFlopsPerSecond(ChipFacts chip, PlanningKnowledge knowledge, EngineFacts engine) =>
        chip.ShaderFlops / knowledge.Constants.Decode.GetValueOrDefault(engine.Family == EngineFamily.Builtin ? "compute builtin" : "compute batch");
}

/// <summary>Milliseconds of a step by part; each ≥ 0.</summary>
internal readonly record struct StepTime(double Weights, double Cache, double Layers, double Compute)
{
    public double Total => Weights + Cache + Layers + Compute;

    public static StepTime operator +(StepTime left, StepTime right) =>
        new(left.Weights + right.Weights, left.Cache + right.Cache, left.Layers + right.Layers, left.Compute + right.Compute);
}
