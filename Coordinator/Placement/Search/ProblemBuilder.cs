using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Placement.Search;

/// <summary>Turns nodes, a model and a request into the numbers that the search works on.</summary>
internal sealed class ProblemBuilder(
    ClusterSnapshot cluster,
    PlanningKnowledge knowledge,
    EngineFacts engine,
    ImmutableArray<NodeCapacity> nodes,
    ModelSpec model,
    PlacementRequest request)
{
    private readonly EngineMemory _memory = EngineMemory.For(engine.Name);
    private readonly Dictionary<(int Context, int Batch), double[][]> _times = [];
    private readonly Dictionary<int, double[,]> _hops = [];
    private readonly double[] _heads = [.. nodes.Select(node => NodeSpeed.Head(node, knowledge, engine, model).Total)];

    public ImmutableArray<NodeCapacity> Nodes => nodes;

    /// <param name="contextTokens">Tokens that each sequence may hold: decides bytes, and the cache that a step reads.</param>
    /// <param name="batch">Sequences of one step: decides its time; memory is for all of the request's.</param>
    public CutProblem Build(int contextTokens, int batch) => Build(contextTokens, contextTokens, batch);

    /// <summary>The same with the memory of one context and the times of another: for questions that only memory answers.</summary>
    public CutProblem Build(int contextTokens, int timedContextTokens, int batch)
    {
        var middle = _memory.Workspace(model, contextTokens, request.Concurrency, false);
        var logits = _memory.Workspace(model, contextTokens, request.Concurrency, true) - middle;
        var problem = new CutProblem
        {
            LayerCount = model.LayerCount,
            FreeBytes = [.. nodes.Select(node => NodeSelection.FreeBytes(node, request))],
            LayerTime = Times(timedContextTokens, batch),
            LastTime = _heads,
            LayerBytes = Bytes(contextTokens),
            StageBytes = middle,
            FirstBytes = EngineMemory.EndWeights(model, true, false),
            LastBytes = EngineMemory.EndWeights(model, false, true) + logits,
            OnlyBytes = EngineMemory.EndWeights(model, true, true) + logits,
            Hop = Hops(batch),
            ClassOf = new int[nodes.Length],
            IsRequired = [.. nodes.Select(node => request.UseAllNodes || IsPinned(node.NodeId))],
            Pins = [.. nodes.Select(node => Pin(node.NodeId))],
        };
        AssignClasses(problem);
        return problem;
    }

    private double[][] Times(int contextTokens, int batch)
    {
        if (!_times.TryGetValue((contextTokens, batch), out var times))
        {
            times = [.. nodes.Select(node => Times(node, contextTokens, batch))];
            _times.Add((contextTokens, batch), times);
        }

        return times;
    }

    private double[] Times(NodeCapacity node, int contextTokens, int batch)
    {
        var times = new double[model.LayerCount + 1];
        for (var layer = 0; layer < model.LayerCount; layer++)
        {
            // Layers of the same shape take the same time; most models have one or two shapes.
            times[layer + 1] = times[layer] + (layer > 0 && model.Layers[layer] == model.Layers[layer - 1]
                ? times[layer] - times[layer - 1]
                : NodeSpeed.Layer(node, knowledge, engine, model, layer, contextTokens, batch));
        }

        return times;
    }

    private long[] Bytes(int contextTokens)
    {
        var bytes = new long[model.LayerCount + 1];
        for (var layer = 0; layer < model.LayerCount; layer++)
        {
            bytes[layer + 1] = bytes[layer] + model.Layers[layer].WeightBytes
                + _memory.LayerCacheBytes(model, layer, contextTokens, request.Concurrency);
        }

        return bytes;
    }

    private double[,] Hops(int batch)
    {
        if (!_hops.TryGetValue(batch, out var hops))
        {
            hops = FindHops(batch);
            _hops.Add(batch, hops);
        }

        return hops;
    }

    private double[,] FindHops(int batch)
    {
        var hops = new double[nodes.Length, nodes.Length];
        for (var from = 0; from < nodes.Length; from++)
        {
            for (var to = 0; to < nodes.Length; to++)
            {
                hops[from, to] = from == to
                    ? 0
                    : HopModel.Milliseconds(nodes[from], nodes[to], cluster, knowledge, engine, model, request.Link, batch);
            }
        }

        return hops;
    }

    private bool IsPinned(string nodeId) => !request.PinnedLayers.IsDefaultOrEmpty && request.PinnedLayers.Any(pin => pin.NodeId == nodeId);

    private (int First, int End) Pin(string nodeId)
    {
        if (!request.PinnedLayers.IsDefaultOrEmpty)
        {
            foreach (var pin in request.PinnedLayers)
            {
                if (pin.NodeId == nodeId)
                {
                    return (pin.FirstLayer, pin.EndLayer);
                }
            }
        }

        return (-1, -1);
    }

    /// <summary>Nodes are interchangeable when they have the same room, the same speed and the same hops to everybody.</summary>
    private static void AssignClasses(CutProblem problem)
    {
        var classes = 0;
        for (var node = 0; node < problem.NodeCount; node++)
        {
            problem.ClassOf[node] = classes;
            for (var other = 0; other < node; other++)
            {
                if (AreAlike(problem, node, other))
                {
                    problem.ClassOf[node] = problem.ClassOf[other];
                    break;
                }
            }

            classes += problem.ClassOf[node] == classes ? 1 : 0;
        }
    }

    private static bool AreAlike(CutProblem problem, int left, int right)
    {
        if (problem.FreeBytes[left] != problem.FreeBytes[right]
            || problem.IsRequired[left] != problem.IsRequired[right]
            || problem.Pins[left].First >= 0
            || problem.Pins[right].First >= 0
            || problem.LastTime[left] != problem.LastTime[right]
            || !problem.LayerTime[left].AsSpan().SequenceEqual(problem.LayerTime[right]))
        {
            return false;
        }

        for (var other = 0; other < problem.NodeCount; other++)
        {
            // Also the hop between the two must be the one to any third: then all pairs of the class are alike.
            if (other != left && other != right
                && (problem.Hop[left, other] != problem.Hop[right, other] || problem.Hop[other, left] != problem.Hop[other, right]))
            {
                return false;
            }
        }

        return problem.Hop[left, right] == problem.Hop[right, left];
    }
}
