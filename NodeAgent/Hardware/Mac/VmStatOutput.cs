using System.Globalization;
using System.Text.RegularExpressions;

namespace ClusterLlm.NodeAgent.Hardware.Mac;

/// <summary>
/// What <c>vm_stat</c> printed:
/// <code>
/// Mach Virtual Memory Statistics: (page size of 16384 bytes)
/// Pages wired down:                         159117.
/// "Translation faults":                  574921966.
/// Pages occupied by compressor:             454496.
/// </code>
/// Numbers end with a dot, one label has quotes, widths vary, and an M5 prints more lines: labels are looked up, lines never counted.
/// </summary>
internal sealed partial class VmStatOutput
{
    private readonly Dictionary<string, long> _pages = new(StringComparer.Ordinal);
    private long? _pageBytes;

    private VmStatOutput()
    {
    }

    /// <summary>
    /// Memory that can't be had back without compressing or swapping: wired + active + occupied by the compressor, in bytes. Inactive,
    /// speculative and purgeable pages are what the system gives away first (vm_stat(1); Activity Monitor's "used" differs by file pages).
    /// <see langword="null"/> when one of the three or the page size is missing: a sum of two would look like free memory.
    /// </summary>
    public long? UsedBytes =>
        (Pages("Pages wired down") + Pages("Pages active") + Pages("Pages occupied by compressor")) * _pageBytes;

    public static VmStatOutput Parse(string? output)
    {
        var parsed = new VmStatOutput();
        foreach (var line in (output ?? "").Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (PageSize().Match(line) is { Success: true } size)
            {
                parsed._pageBytes = long.Parse(size.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            }
            else if (colon > 0 && long.TryParse(line[(colon + 1)..].Trim().TrimEnd('.'), CultureInfo.InvariantCulture, out var pages))
            {
                parsed._pages[line[..colon].Trim('"', ' ')] = pages;
            }
        }

        return parsed;
    }

    /// <summary>Pages counted under a label, without its quotes; <see langword="null"/> when there is no such line.</summary>
    public long? Pages(string label) => _pages.TryGetValue(label, out var pages) ? pages : null;

    [GeneratedRegex(@"page size of (\d{1,9}) bytes")]
    private static partial Regex PageSize();
}
