using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>The angles of rotary positions.</summary>
/// <remarks>Source: RoFormer, arXiv:2104.09864; the llama3 stretching as in Hugging Face's modeling_rope_utils.</remarks>
internal sealed class RotaryFrequencies
{
    /// <summary>Names that <see cref="Create"/> can compute.</summary>
    public static readonly string[] SupportedTypes = ["default", "linear", "llama3"];

    private readonly double[] _radiansPerToken;

    private RotaryFrequencies(double[] radiansPerToken) => _radiansPerToken = radiansPerToken;

    /// <summary>Pairs of a head that are rotated: half its dimensions.</summary>
    public int Half => _radiansPerToken.Length;

    /// <exception cref="ShardException">The model stretches its positions in a way not known here, or leaves a parameter out.</exception>
    public static RotaryFrequencies Create(ModelConfig config)
    {
        var radians = new double[config.HeadDim / 2];
        for (var index = 0; index < radians.Length; index++)
        {
            radians[index] = Stretch(Math.Pow(config.RopeTheta, -2.0 * index / config.HeadDim), config.RopeScaling);
        }

        return new RotaryFrequencies(radians);
    }

    /// <summary>Cosines and sines of one position; each span holds <see cref="Half"/> floats.</summary>
    public void Fill(int position, Span<float> cosines, Span<float> sines)
    {
        for (var index = 0; index < _radiansPerToken.Length; index++)
        {
            var (sine, cosine) = Math.SinCos(position * _radiansPerToken[index]);
            cosines[index] = (float)cosine;
            sines[index] = (float)sine;
        }
    }

    private static double Stretch(double radians, RopeScaling? scaling) => scaling?.Type switch
    {
        null or "default" => radians,
        "linear" => radians / Require(scaling.Factor, "factor"),
        "llama3" => StretchLlama3(
            radians,
            Require(scaling.Factor, "factor"),
            Require(scaling.LowFrequencyFactor, "low_freq_factor"),
            Require(scaling.HighFrequencyFactor, "high_freq_factor"),
            Require(scaling.OriginalMaxTokens, "original_max_position_embeddings")),
        var other => throw new ShardException(
            $"rope_scaling type '{other}' is not supported by the builtin engine; it supports {string.Join(", ", SupportedTypes)}."),
    };

    private static double Require(double? value, string name) =>
        value ?? throw new ShardException($"config.json: rope_scaling.{name} is missing; the rope type needs it.");

    /// <summary>Long waves are stretched, short ones kept, and those between interpolated.</summary>
    private static double StretchLlama3(double radians, double factor, double low, double high, double original)
    {
        var wavelength = 2 * Math.PI / radians;
        if (wavelength < original / high)
        {
            return radians;
        }

        if (wavelength > original / low)
        {
            return radians / factor;
        }

        var smooth = ((original / wavelength) - low) / (high - low);
        return ((1 - smooth) * radians / factor) + (smooth * radians);
    }
}
