using System.Globalization;
using System.Text.RegularExpressions;

namespace ClusterLlm.NodeAgent.Hardware.Power;

/// <summary>Reads the text that powermetrics prints with <c>--samplers cpu_power</c>, line by line as it comes. Pure but for what it remembers of a sample.</summary>
/// <remarks>macOS 13 and newer print the sum of the parts last; where it is missing, the parts are added when the next sample begins.</remarks>
internal sealed partial class PowermetricsOutput
{
    private const string SampleBegins = "*** Sampled system activity";

    private readonly Dictionary<string, double> _parts = new(StringComparer.Ordinal);

    /// <returns>Watts of CPU, GPU and neural engine together, averaged over a sample, when the line completes one; else <see langword="null"/>.</returns>
    public double? Add(string line)
    {
        if (line.StartsWith(SampleBegins, StringComparison.Ordinal))
        {
            return Take();
        }

        if (PartLine().Match(line) is not { Success: true } part)
        {
            return null;
        }

        var watts = double.Parse(part.Groups["value"].ValueSpan, CultureInfo.InvariantCulture) * (part.Groups["unit"].Value == "mW" ? 1e-3 : 1);
        if (part.Groups["name"].Value == "Combined")
        {
            _parts.Clear();
            return watts;
        }

        // "GPU Power" is printed twice when its own sampler runs as well.
        _parts[part.Groups["name"].Value] = watts;
        return null;
    }

    private double? Take()
    {
        double? sum = _parts.ContainsKey("CPU") ? _parts.Values.Sum() : null;
        _parts.Clear();
        return sum;
    }

    [GeneratedRegex(@"^(?<name>CPU|GPU|ANE|Combined) Power(?: \([^)]*\))?: (?<value>[0-9]*\.?[0-9]+) (?<unit>mW|W)\s*$")]
    private static partial Regex PartLine();
}
