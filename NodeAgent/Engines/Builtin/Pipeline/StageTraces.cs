using System.Diagnostics;
using ClusterLlm.NodeAgent.Engines.Builtin.Model;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>One span for each sequence that is in a stage, in the trace of its request: from its first row to its release. Belongs to the stage's thread.</summary>
/// <remarks>A span per step would be one per token and stage: a trace that nobody can read, and more work than the step.</remarks>
internal sealed class StageTraces(ShardSpec spec) : IDisposable
{
    private static readonly ActivitySource Source = new(BuiltinMetrics.MeterName);

    private readonly string _name = $"stage layers {spec.FirstLayer}-{spec.FirstLayer + spec.LayerCount - 1}";
    private readonly string _model = Path.GetFileName(Path.TrimEndingDirectorySeparator(spec.Model));
    private readonly Dictionary<int, OpenSpan> _open = [];

    /// <summary>Opens spans for the sequences that begin with this step. What is no trace context is left alone: it concerns telemetry only.</summary>
    public void Begin(StageWork.Step step)
    {
        foreach (var (slot, parent) in step.Traces)
        {
            if (ActivityContext.TryParse(parent, null, isRemote: true, out var context) && step.Segments.Any(segment => segment.Slot == slot))
            {
                End(slot);
                if (Start(context) is { } span)
                {
                    _open[slot] = new(span);
                }
            }
        }
    }

    /// <param name="compute">Of the whole step, whose sequences share it.</param>
    public void StepDone(SequenceSegment[] segments, TimeSpan compute)
    {
        if (_open.Count == 0)
        {
            return;
        }

        foreach (var segment in segments)
        {
            if (_open.TryGetValue(segment.Slot, out var open))
            {
                open.Steps++;
                open.Rows += segment.Rows;
                open.Compute += compute;
            }
        }
    }

    /// <summary>The sequence has left the slot; does nothing when it was not traced.</summary>
    public void End(int slot)
    {
        if (_open.Remove(slot, out var open))
        {
            open.Finish();
        }
    }

    /// <summary>Ends what is open: the stage is gone before its sequences were.</summary>
    public void Dispose()
    {
        foreach (var open in _open.Values)
        {
            open.Span.SetStatus(ActivityStatusCode.Error, "The stage ended before the sequence did.");
            open.Finish();
        }

        _open.Clear();
    }

    private Activity? Start(ActivityContext parent)
    {
        var span = Source.StartActivity(_name, ActivityKind.Internal, parent)?
            .SetTag("gen_ai.request.model", _model)
            .SetTag("clusterllm.node.id", spec.Ranks[spec.Rank].NodeId)
            .SetTag("clusterllm.deployment.id", spec.DeploymentId)
            .SetTag("clusterllm.shard.rank", spec.Rank)
            .SetTag("clusterllm.shard.first_layer", spec.FirstLayer)
            .SetTag("clusterllm.shard.layer_count", spec.LayerCount);

        // The stage works on many sequences in turn: none of them is what this thread is "in".
        Activity.Current = null;
        return span;
    }

    private sealed class OpenSpan(Activity span)
    {
        public Activity Span => span;

        public int Steps { get; set; }

        public int Rows { get; set; }

        public TimeSpan Compute { get; set; }

        public void Finish()
        {
            span.SetTag("clusterllm.stage.steps", Steps)
                .SetTag("clusterllm.stage.tokens", Rows)
                .SetTag("clusterllm.stage.compute_seconds", Compute.TotalSeconds)
                .Dispose();
            Activity.Current = null;
        }
    }
}
