using System.Numerics.Tensors;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Sampling;

/// <summary>A token with the natural logarithm of its probability.</summary>
internal readonly record struct TokenLogProb(int Token, float LogProb);

/// <summary>Log-probabilities: the logarithm of softmax over the whole vocabulary, before any sampling setting.</summary>
internal static class LogProbs
{
    /// <summary>ln Σ exp(logit); log-probability of a token = its logit − this.</summary>
    /// <param name="scratch">As long as <paramref name="logits"/>.</param>
    public static double LogSumExp(ReadOnlySpan<float> logits, Span<float> scratch)
    {
        var maximum = TensorPrimitives.Max(logits);
        TensorPrimitives.Subtract(logits, maximum, scratch);
        TensorPrimitives.Exp(scratch, scratch);
        var sum = 0.0;
        for (var start = 0; start < scratch.Length; start += 1024)
        {
            // In pieces: a float sum over a whole vocabulary would lose digits.
            sum += TensorPrimitives.Sum<float>(scratch.Slice(start, Math.Min(1024, scratch.Length - start)));
        }

        return maximum + Math.Log(sum);
    }

    /// <summary>The <paramref name="count"/> most likely tokens, the best first; equal ones by id.</summary>
    public static TokenLogProb[] Top(ReadOnlySpan<float> logits, int count, double logSumExp)
    {
        var best = new List<(float Logit, int Token)>(count + 1);
        for (var token = 0; token < logits.Length && count > 0; token++)
        {
            if (best.Count < count || logits[token] > best[^1].Logit)
            {
                Insert(best, (logits[token], token), count);
            }
        }

        return [.. best.Select(entry => new TokenLogProb(entry.Token, (float)(entry.Logit - logSumExp)))];
    }

    private static void Insert(List<(float Logit, int Token)> best, (float Logit, int Token) entry, int count)
    {
        var place = best.Count;
        while (place > 0 && best[place - 1].Logit < entry.Logit)
        {
            place--;
        }

        best.Insert(place, entry);
        if (best.Count > count)
        {
            best.RemoveAt(count);
        }
    }
}
