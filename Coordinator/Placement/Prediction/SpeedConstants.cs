using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>The fitted constants, with where they come from.</summary>
/// <param name="Origin">One sentence: rows, method, date.</param>
/// <param name="Decode">By name; dimensionless, or milliseconds per layer for the <c>layer …</c> ones.</param>
/// <param name="Prefill">The same for prompts.</param>
/// <param name="Hops">Pipeline and tensor costs in milliseconds, by name.</param>
/// <param name="Bands">80 % bands by class.</param>
internal sealed record SpeedConstants(
    string Origin,
    ImmutableSortedDictionary<string, double> Decode,
    ImmutableSortedDictionary<string, double> Prefill,
    ImmutableSortedDictionary<string, double> Hops,
    ImmutableArray<SpeedBand> Bands)
{
    /// <summary>The sum of the terms, in milliseconds. A name without a constant counts 0: it was not needed to explain the rows.</summary>
    public static double Sum(ImmutableSortedDictionary<string, double> constants, IEnumerable<SpeedTerm> terms) =>
        terms.Sum(term => constants.GetValueOrDefault(term.Name) * term.Milliseconds);

    /// <summary>The band of a class; the widest one there is when the class has none.</summary>
    public SpeedBand Band(string name)
    {
        foreach (var band in Bands)
        {
            if (band.Class == name)
            {
                return band;
            }
        }

        return Bands.IsEmpty ? new SpeedBand(name, 0.5, 2, 0) : Bands.MaxBy(band => band.High / band.Low)! with { Class = name };
    }
}

/// <summary>In this range around the prediction lie 80 % of the measurements of a class.</summary>
/// <param name="Low">Lowest measured / predicted speed of the band; in (0, 1].</param>
/// <param name="High">Highest; ≥ 1.</param>
/// <param name="Rows">Measurements behind it, each predicted by a fit that had not seen its chip, or its source.</param>
internal sealed record SpeedBand(string Class, double Low, double High, int Rows);
