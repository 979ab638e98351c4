using ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>A request that was understood.</summary>
/// <param name="Stops">Stop strings.</param>
/// <param name="TokensAsIds">Token texts in log-probabilities are written as <c>token_id:17</c>.</param>
internal sealed record GenerationPlan(
    string RequestId, RequestKind Kind, SequenceRequest Sequence, IReadOnlyList<string> Stops, bool TokensAsIds)
{
    public bool WantsLogProbs => Sequence.TopLogProbs is not null;
}
