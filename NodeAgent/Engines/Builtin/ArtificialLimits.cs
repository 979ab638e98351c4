using System.Globalization;

namespace ClusterLlm.NodeAgent.Engines.Builtin;

/// <summary>
/// Makes a node or its links slower than they are, to test what is decided about slow ones. A node with a limit says so in its capabilities, and all that is
/// measured on it carries that mark.
/// </summary>
internal sealed class ArtificialLimits
{
    /// <summary>Added to each step, per layer.</summary>
    /// <value>Default 0. Stands for reading the layer's weights: the same however many sequences a step has.</value>
    public TimeSpan LayerTime { get; set; }

    /// <summary>Added to each step, per layer and row (a token of a sequence).</summary>
    /// <value>Default 0. Stands for arithmetic: it grows with the batch and with the prompt.</value>
    public TimeSpan RowTime { get; set; }

    /// <summary>Added on the way to the next stage.</summary>
    /// <value>Default 0. Stands for the latency of a link: several messages can be under way at once.</value>
    public TimeSpan HopTime { get; set; }

    public bool Any => LayerTime > TimeSpan.Zero || RowTime > TimeSpan.Zero || HopTime > TimeSpan.Zero;

    /// <summary>What a step of so many rows takes longer on so many layers.</summary>
    public TimeSpan OfStep(int layers, int rows) => (LayerTime + (RowTime * rows)) * layers;

    /// <summary>For people; only when there is <see cref="Any"/>.</summary>
    public override string ToString()
    {
        (TimeSpan Time, string What)[] parts = [(LayerTime, "per layer"), (RowTime, "per layer and row"), (HopTime, "per hop")];
        return string.Join(", ", parts.Where(part => part.Time > TimeSpan.Zero)
            .Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Time.TotalMilliseconds:0.###} ms {part.What}")));
    }
}
