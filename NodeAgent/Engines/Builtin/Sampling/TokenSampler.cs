using System.Numerics.Tensors;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Sampling;

/// <summary>Picks the tokens of one sequence. Equal settings and logits give equal tokens, whatever else is in the batch.</summary>
internal sealed class TokenSampler
{
    /// <summary>Tokens this far below the best one (in units of ln p) are never drawn: together they have less than 1e-8 of the mass.</summary>
    private const float Negligible = 30;

    private readonly SamplingSettings _settings;
    private readonly HashSet<int> _seen;
    private readonly Dictionary<int, int> _generated = [];
    private float[] _adjusted = [];
    private float[] _keys = [];
    private int[] _tokens = [];
    private ulong _draws;

    /// <param name="prompt">Counts for the repetition penalty.</param>
    public TokenSampler(SamplingSettings settings, IEnumerable<int> prompt)
    {
        _settings = settings;
        _seen = settings.RepetitionPenalty == 1 ? [] : [.. prompt];
    }

    /// <summary>Picks the next token and remembers it for the penalties.</summary>
    /// <exception cref="GenerationException">The model gave no finite logit.</exception>
    public int Sample(ReadOnlySpan<float> logits)
    {
        var token = Pick(_settings.ChangesNothing ? logits : Adjust(logits));
        if (!_settings.ChangesNothing)
        {
            _seen.Add(token);
            _generated[token] = _generated.GetValueOrDefault(token) + 1;
        }

        return token;
    }

    private int Pick(ReadOnlySpan<float> logits)
    {
        var best = TensorPrimitives.IndexOfMax(logits);
        if (!float.IsFinite(logits[best]))
        {
            throw new GenerationException(500, $"The model's best logit is {logits[best]}: its weights or this prompt overflow float32.");
        }

        return _settings.Temperature == 0 ? best : Draw(logits, logits[best]);
    }

    private Span<float> Adjust(ReadOnlySpan<float> logits)
    {
        Array.Resize(ref _adjusted, logits.Length);
        logits.CopyTo(_adjusted);
        var penalty = (float)_settings.RepetitionPenalty;
        foreach (var token in _seen)
        {
            if (penalty != 1 && (uint)token < (uint)_adjusted.Length)
            {
                _adjusted[token] = _adjusted[token] > 0 ? _adjusted[token] / penalty : _adjusted[token] * penalty;
            }
        }

        foreach (var (token, count) in _generated)
        {
            _adjusted[token] -= (float)(_settings.PresencePenalty + (_settings.FrequencyPenalty * count));
        }

        foreach (var (token, bias) in _settings.LogitBias)
        {
            _adjusted[token] += bias;
        }

        return _adjusted;
    }

    private int Draw(ReadOnlySpan<float> logits, float best)
    {
        var count = Collect(logits, best);
        Array.Sort(_keys, _tokens, 0, count);
        count = _settings.TopK > 0 ? Math.Min(count, _settings.TopK) : count;
        var total = 0.0;
        for (var index = 0; index < count; index++)
        {
            _keys[index] = MathF.Exp(-_keys[index]);
            total += _keys[index];
        }

        count = Cut(count, ref total);
        var target = NextUniform() * total;
        for (var index = 0; index < count - 1; index++)
        {
            target -= _keys[index];
            if (target < 0)
            {
                return _tokens[index];
            }
        }

        return _tokens[count - 1];
    }

    /// <summary>Lists tokens with their distance below the best one, in ln p at the temperature; smaller is likelier.</summary>
    private int Collect(ReadOnlySpan<float> logits, float best)
    {
        if (_keys.Length < logits.Length)
        {
            _keys = new float[logits.Length];
            _tokens = new int[logits.Length];
        }

        var count = 0;
        for (var token = 0; token < logits.Length; token++)
        {
            var distance = (float)((best - logits[token]) / _settings.Temperature);
            if (distance <= Negligible)
            {
                _keys[count] = distance;
                _tokens[count++] = token;
            }
        }

        return count;
    }

    /// <summary>Applies top-p, then min-p, to weights in falling order; the best token always stays.</summary>
    private int Cut(int count, ref double total)
    {
        var limit = _settings.TopP * total;
        var kept = 0;
        var sum = 0.0;
        while (kept < count && (kept == 0 || (sum < limit && _keys[kept] >= _settings.MinP * _keys[0])))
        {
            sum += _keys[kept++];
        }

        total = sum;
        return kept;
    }

    /// <summary>A counter through a mixing function: the n-th draw depends on seed and n only. Source: SplitMix64 by Sebastiano Vigna.</summary>
    /// <returns>0 ≤ value &lt; 1.</returns>
    private double NextUniform()
    {
        var mixed = _settings.Seed + (++_draws * 0x9E3779B97F4A7C15UL);
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
        mixed ^= mixed >> 31;
        return (mixed >> 11) * (1.0 / (1UL << 53));
    }
}
