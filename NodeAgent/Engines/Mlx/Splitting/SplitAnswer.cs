using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Splitting;

/// <summary>A short greedy answer, and how sure each of its tokens was.</summary>
/// <param name="Tokens">Token ids.</param>
/// <param name="Logprobs">Natural logarithms, one per token.</param>
/// <param name="Margins">Distance to the second best token, one per token; ≥ 0.</param>
internal sealed record SplitAnswer(ImmutableArray<int> Tokens, ImmutableArray<double> Logprobs, ImmutableArray<double> Margins);

/// <summary>Whether a split model answers as the whole one.</summary>
internal static class SplitComparison
{
    /// <summary>Below it, another order of summation may choose the other token: the answers may part here without a fault.</summary>
    public const double CloseMargin = 0.05;

    /// <summary>
    /// How far a log-probability may be off: 16-bit arithmetic on other hardware differs by less than a tenth of it; a wrong layer, mask or offset by
    /// much more.
    /// </summary>
    public const double Tolerance = 0.25;

    /// <returns>Null when they agree, else what differs.</returns>
    public static string? Difference(SplitAnswer reference, SplitAnswer answer)
    {
        var length = Math.Min(reference.Tokens.Length, answer.Tokens.Length);
        if (length == 0)
        {
            return "there is no token to compare";
        }

        for (var i = 0; i < length; i++)
        {
            if (reference.Tokens[i] != answer.Tokens[i])
            {
                return reference.Margins[i] < CloseMargin ? null : FormattableString.Invariant(
                    $"token {i + 1} is {answer.Tokens[i]}, the whole model says {reference.Tokens[i]} (log-probability {reference.Logprobs[i]:0.000}, {reference.Margins[i]:0.000} above the next)");
            }

            if (Math.Abs(reference.Logprobs[i] - answer.Logprobs[i]) > Tolerance)
            {
                return FormattableString.Invariant(
                    $"token {i + 1} has log-probability {answer.Logprobs[i]:0.000}, the whole model says {reference.Logprobs[i]:0.000}");
            }
        }

        return null;
    }
}
