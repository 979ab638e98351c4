using System.Collections.Frozen;
using ClusterLlm.NodeAgent.Engines.Builtin.Sampling;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

/// <summary>What is to be generated, in tokens.</summary>
/// <param name="Prompt">At least one token.</param>
/// <param name="MaxTokens">≥ 1; prompt and answer fit into the context.</param>
/// <param name="EndTokens">Ids that end the answer.</param>
/// <param name="TopLogProbs">Alternatives listed per token; null when no log-probabilities are wanted.</param>
internal sealed record SequenceRequest(
    int[] Prompt, int MaxTokens, FrozenSet<int> EndTokens, SamplingSettings Sampling, int? TopLogProbs)
{
    /// <summary>W3C <c>traceparent</c> for the spans of the stages; null when the request is not traced.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>What a sequence tells while it runs.</summary>
internal abstract record SequenceEvent
{
    private SequenceEvent()
    {
    }

    /// <summary>It got a slot.</summary>
    internal sealed record Admitted(TimeSpan Queue) : SequenceEvent;

    internal sealed record Prefilled(int Tokens) : SequenceEvent;

    /// <param name="LogProb">0 when not asked for.</param>
    /// <param name="Top">Empty when not asked for.</param>
    /// <param name="FinishReason"><c>stop</c> or <c>length</c> on the last token.</param>
    /// <param name="IsEnd">The token ends the answer and is no part of its text.</param>
    /// <param name="At">Timestamp of the engine's clock.</param>
    internal sealed record Token(int Id, float LogProb, TokenLogProb[] Top, string? FinishReason, bool IsEnd, long At) : SequenceEvent;
}
