using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>A Mac that one doesn't have.</summary>
/// <param name="MemoryGigabytes">As sold (GiB).</param>
/// <param name="Link">The kind of link that it hangs on; <see langword="null"/> when the request's holds.</param>
/// <param name="UsableGigabytes">What the GPU may wire, when it is known or raised by hand (GiB); <see langword="null"/> for the conservative rule.</param>
internal sealed record Machine(string Chip, double MemoryGigabytes, int GpuCores, double? UsableGigabytes, string? Link);

/// <summary>Reads machines as people write them: <c>2 x M4 Pro 64GB</c>, <c>M3 Ultra 512GB 80c</c>, several with commas.</summary>
internal static partial class MachineText
{
    private const int MostMachines = 256;

    /// <returns>The machines, or what is wrong.</returns>
    public static (ImmutableArray<Machine> Machines, string? Problem) Parse(string text)
    {
        var machines = ImmutableArray.CreateBuilder<Machine>();
        foreach (var part in text.Split([',', '+'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (Pattern().Match(part) is not { Success: true } match)
            {
                return ([], $"\"{part}\" is no machine; write for example \"2 x M4 Pro 64GB\" or \"M3 Ultra 512GB 80c\".");
            }

            var count = match.Groups["count"].Success ? int.Parse(match.Groups["count"].ValueSpan, CultureInfo.InvariantCulture) : 1;
            var memory = double.Parse(match.Groups["memory"].ValueSpan, CultureInfo.InvariantCulture);
            if (count < 1 || machines.Count + count > MostMachines)
            {
                return ([], $"\"{part}\" makes {machines.Count + count} machines; give 1 to {MostMachines}.");
            }

            var cores = match.Groups["cores"].Success ? int.Parse(match.Groups["cores"].ValueSpan, CultureInfo.InvariantCulture) : 0;
            machines.AddRange(Enumerable.Repeat(new Machine(match.Groups["chip"].Value.Trim(), memory, cores, null, null), count));
        }

        return machines.Count == 0
            ? ([], "No machine is named; write for example \"2 x M4 Pro 64GB\".")
            : (machines.ToImmutable(), null);
    }

    [GeneratedRegex(@"^(?:(?<count>\d{1,4})\s*[x×*]\s*)?(?<chip>[A-Za-z][\w ]*?)\s+(?<memory>\d{1,6})\s*G(?:i?B)?(?:\s+(?<cores>\d{1,3})\s*c(?:ores)?)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Pattern();
}
