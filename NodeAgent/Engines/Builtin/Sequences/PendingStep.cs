using ClusterLlm.NodeAgent.Engines.Builtin.Model;
using ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

/// <summary>A sequence's part of a step under way.</summary>
/// <param name="LogitRow">Row of the step whose logits pick the next token; −1 within a prompt.</param>
/// <param name="PrefilledTokens">Prompt tokens done once the step is; 0 for a decode row.</param>
internal readonly record struct PendingSegment(Sequence Sequence, int LogitRow, int PrefilledTokens);

/// <summary>A step that was sent and has not come back.</summary>
internal sealed record PendingStep(ulong StepId, List<PendingSegment> Segments, List<SequenceSegment> Wire, List<int> Tokens)
{
    /// <summary>Of the sequences that begin with this step; null when none is traced.</summary>
    public List<SequenceTrace>? Traces { get; set; }

    public bool HasDecodeRows { get; set; }

    public bool HasPrefillRows { get; set; }

    /// <summary>Rows whose logits are wanted, in the order of <see cref="Segments"/>.</summary>
    public int[] LogitRows => [.. Segments.Where(segment => segment.LogitRow >= 0).Select(segment => segment.LogitRow)];
}
