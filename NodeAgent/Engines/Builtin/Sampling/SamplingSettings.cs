using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Sampling;

/// <summary>How the next token is picked.</summary>
/// <param name="Temperature">0 is greedy.</param>
/// <param name="TopK">Most likely tokens that stay; 0 is all.</param>
/// <param name="TopP">Probability mass of the most likely tokens that stay; 1 is all.</param>
/// <param name="MinP">Tokens below this share of the most likely one's probability drop out; 0 is none.</param>
/// <param name="RepetitionPenalty">Divides the logits of tokens in prompt or answer (multiplies negative ones); 1 is none. Source: CTRL, arXiv:1909.05858.</param>
/// <param name="PresencePenalty">Subtracted once from tokens of the answer; OpenAI's field.</param>
/// <param name="FrequencyPenalty">Subtracted per occurrence in the answer; OpenAI's field.</param>
/// <param name="LogitBias">Added to the logits of single tokens.</param>
/// <param name="Seed">Equal seeds draw equal tokens from equal logits.</param>
internal sealed record SamplingSettings(
    double Temperature,
    int TopK,
    double TopP,
    double MinP,
    double RepetitionPenalty,
    double PresencePenalty,
    double FrequencyPenalty,
    ImmutableDictionary<int, float> LogitBias,
    ulong Seed)
{
    public static SamplingSettings Greedy { get; } = new(0, 0, 1, 0, 1, 0, 0, ImmutableDictionary<int, float>.Empty, 0);

    /// <summary>Whether the logits are used as they are.</summary>
    public bool ChangesNothing => RepetitionPenalty == 1 && PresencePenalty == 0 && FrequencyPenalty == 0 && LogitBias.IsEmpty;
}
