using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Comparisons.Candidates;

/// <summary>What a first look at one node with all layers showed.</summary>
/// <param name="OneMilliseconds">A token of one request; > 0.</param>
/// <param name="BatchMilliseconds">A token of each of <paramref name="Batch"/> requests together.</param>
/// <param name="Batch">Requests at once; ≥ 1.</param>
internal readonly record struct SeenStep(double OneMilliseconds, double BatchMilliseconds, int Batch);

/// <summary>Plans by what single nodes were just seen to do, instead of by published constants: so a node that is slower than its chip gets fewer layers. Pure.</summary>
internal static class SeenSpeeds
{
    // Below this a node is not a machine any more; the search needs finite times.
    private const double LeastShare = 1e-7;

    /// <param name="steps">By node and engine.</param>
    public static ClusterSnapshot Apply(
        ClusterSnapshot cluster, ModelSpec model, int contextTokens, Dictionary<(string Node, string Engine), SeenStep> steps, DateTimeOffset now)
    {
        if (cluster.Knowledge is not { } knowledge)
        {
            return cluster;
        }

        var seen = OfMachines(cluster, steps);
        return cluster with { Nodes = [.. cluster.Nodes.Select(node => Seen(node, model, contextTokens, knowledge, seen, now))] };
    }

    /// <summary>Agents of one machine are equally fast; what their first looks differ by is noise.</summary>
    private static Dictionary<(string Node, string Engine), SeenStep> OfMachines(ClusterSnapshot cluster, Dictionary<(string Node, string Engine), SeenStep> steps)
    {
        var machines = cluster.Nodes.ToDictionary(node => node.NodeId, node => node.MachineId);
        return steps.ToDictionary(
            one => one.Key,
            one =>
            {
                var alike = steps.Where(other => other.Key.Engine == one.Key.Engine && machines[other.Key.Node] == machines[one.Key.Node]).Select(other => other.Value).ToArray();
                return new SeenStep(alike.Min(step => step.OneMilliseconds), alike.Min(step => step.BatchMilliseconds), one.Value.Batch);
            });
    }

    private static NodeCapacity Seen(
        NodeCapacity node,
        ModelSpec model,
        int contextTokens,
        PlanningKnowledge knowledge,
        Dictionary<(string Node, string Engine), SeenStep> steps,
        DateTimeOffset now)
    {
        var calibrations = node.Calibrations;
        foreach (var engine in node.Engines)
        {
            if (steps.TryGetValue((node.NodeId, engine), out var step) && step.OneMilliseconds > 0)
            {
                calibrations = [.. calibrations.Where(one => one.Engine != engine), Calibration(node, engine, model, contextTokens, knowledge, step, now)];
            }
        }

        return node with { Calibrations = calibrations };
    }

    private static EngineCalibration Calibration(
        NodeCapacity node, string engine, ModelSpec model, int contextTokens, PlanningKnowledge knowledge, SeenStep step, DateTimeOffset now)
    {
        double Cache(int sequences) => NodeSpeed.Decode(node, knowledge, EngineFacts.Of(engine), model, 0, model.LayerCount, contextTokens, sequences).Cache;
        DecodeWork Work(int sequences) => ModelWork.Decode(model, 0, model.LayerCount, contextTokens, sequences);
        var reading = Math.Max(step.OneMilliseconds - Cache(1), 0.1 * step.OneMilliseconds);
        // All of it counts as reading, in proportion to bytes: which part is fixed can't be told from one model, and layers of one model are alike.
        var bytesPerMillisecond = Work(1).WeightBytes / reading;
        // What a batch takes longer, and not for reading more, is arithmetic: it decides how much a cut that keeps all nodes busy is worth.
        var longer = step.BatchMilliseconds - step.OneMilliseconds - (Cache(step.Batch) - Cache(1)) - ((Work(step.Batch).WeightBytes - Work(1).WeightBytes) / bytesPerMillisecond);
        return new EngineCalibration(engine, "", "", Math.Max(LeastShare, bytesPerMillisecond * 1e3 / knowledge.ChipOf(node).BandwidthBytesPerSecond), 0, now)
        {
            BatchFlopsPerSecond = step.Batch == 1 ? null : longer > 0 ? Work(step.Batch).BatchFlops / longer * 1e3 : double.PositiveInfinity,
        };
    }
}
