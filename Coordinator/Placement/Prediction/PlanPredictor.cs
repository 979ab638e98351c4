using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>Predicts what a given plan will do, for every objective, with bands, parts and sources.</summary>
internal sealed class PlanPredictor(ClusterSnapshot cluster, PlanningKnowledge knowledge, ModelSpec model, PlacementRequest request)
{
    /// <param name="cuts">Stages in order.</param>
    /// <param name="contextTokens">Tokens in each sequence's cache.</param>
    /// <param name="microBatches">Batches in flight at once when several requests run.</param>
    public PlanPredictions Predict(EngineFacts engine, ImmutableArray<ManualStage> cuts, int contextTokens, int microBatches)
    {
        var stages = cuts.Select(cut => (Node: Node(cut.NodeId), cut.FirstLayer, cut.EndLayer)).ToArray();
        var nodes = stages.Select(stage => stage.Node).ToArray();
        var step = Step(engine, stages, contextTokens, 1);
        var decodeBand = Bands.Decode(knowledge.Constants, engine, model, contextTokens, nodes);
        var round = Round(engine, stages, contextTokens, microBatches);
        var prefill = Prefill(engine, stages);
        var prefillBand = Bands.Prefill(knowledge.Constants, engine, model, nodes);
        var prompt = Math.Max(1, request.PromptTokens);
        var source = Bands.Source(knowledge.Constants, engine, nodes);
        return new PlanPredictions(
            Speed(1e3 / step.Total, decodeBand, step.Parts, source),
            Speed(request.Concurrency * 1e3 / round, request.Concurrency == 1 ? decodeBand : Bands.Wider(decodeBand, Bands.BatchUncertainty), [], source),
            Speed(prompt * 1e3 / prefill, prefillBand, [], source),
            Time((prefill + step.Total) / 1e3, prefillBand, source),
            LongestContext(engine, stages));
    }

    private (double Total, ImmutableArray<PredictionPart> Parts) Step(
        EngineFacts engine, (NodeCapacity Node, int First, int End)[] stages, int contextTokens, int sequences)
    {
        var time = stages.Aggregate(new StepTime(0, 0, 0, 0), (sum, stage) =>
            sum + NodeSpeed.Decode(stage.Node, knowledge, engine, model, stage.First, stage.End, contextTokens, sequences));
        var hops = Hops(engine, stages, sequences);
        return (time.Total + hops,
        [
            new PredictionPart("weights", time.Weights),
            new PredictionPart("cache", time.Cache),
            new PredictionPart("layers", time.Layers),
            new PredictionPart("compute", time.Compute),
            new PredictionPart("hops", hops),
        ]);
    }

    private double Hops(EngineFacts engine, (NodeCapacity Node, int First, int End)[] stages, int sequences) =>
        Enumerable.Range(1, stages.Length - 1).Sum(index => HopModel.Milliseconds(
            stages[index - 1].Node, stages[index].Node, cluster, knowledge, engine, model, request.Link, sequences));

    /// <summary>Milliseconds in which every request gets one token.</summary>
    private double Round(EngineFacts engine, (NodeCapacity Node, int First, int End)[] stages, int contextTokens, int microBatches)
    {
        var batches = Math.Clamp(microBatches, 1, request.Concurrency);
        var size = (request.Concurrency + batches - 1) / batches;
        var sum = Step(engine, stages, contextTokens, size).Total;
        // Stages on one machine take turns.
        var busiest = stages.GroupBy(stage => stage.Node.MachineId).Max(machine => machine.Sum(stage =>
            NodeSpeed.Decode(stage.Node, knowledge, engine, model, stage.First, stage.End, contextTokens, size).Total));
        return batches == 1 ? sum : Math.Max(sum, batches * busiest);
    }

    /// <summary>Milliseconds of the prompt: its chunks follow one another through the stages.</summary>
    private double Prefill(EngineFacts engine, (NodeCapacity Node, int First, int End)[] stages)
    {
        var tokens = Math.Max(1, request.PromptTokens);
        var chunks = Math.Max(1.0, (double)tokens / EngineMemory.For(engine.Name).PrefillChunkTokens);
        var times = stages.Select(stage =>
            NodeSpeed.PrefillMilliseconds(stage.Node, knowledge, engine, model, stage.First, stage.End, tokens) / chunks).ToArray();
        return times.Sum() + ((chunks - 1) * times.Max()) + Hops(engine, stages, (int)Math.Min(tokens, Math.Ceiling(tokens / chunks)));
    }

    private int LongestContext(EngineFacts engine, (NodeCapacity Node, int First, int End)[] stages)
    {
        var memory = EngineMemory.For(engine.Name);
        bool Fits(int tokens) => stages.All(stage =>
            memory.ForStage(model, stage.First, stage.End, tokens, request.Concurrency).TotalBytes <= NodeSelection.FreeBytes(stage.Node, request));
        var (low, high) = (0, Math.Max(1, model.MaxContextTokens > 0 ? model.MaxContextTokens : 1 << 20));
        if (Fits(high))
        {
            return high;
        }

        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            (low, high) = Fits(middle) ? (middle, high) : (low, middle);
        }

        return low;
    }

    private NodeCapacity Node(string nodeId) => cluster.Nodes.First(node => node.NodeId == nodeId);

    private static PredictedValue Speed(double value, SpeedBand band, ImmutableArray<PredictionPart> parts, string source) =>
        new(value, value * band.Low, value * band.High, parts, source);

    private static PredictedValue Time(double value, SpeedBand band, string source) =>
        new(value, value / band.High, value / band.Low, [], source);
}
