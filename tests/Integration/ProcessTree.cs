using System.Diagnostics;
using System.Globalization;

namespace ClusterLlm.Integration;

/// <summary>Processes below a process, as <c>ps</c> tells on Linux and macOS.</summary>
internal static class ProcessTree
{
    /// <summary>All below <paramref name="root"/> whose command line contains <paramref name="text"/>.</summary>
    public static async Task<IReadOnlyList<int>> BelowAsync(int root, string text, CancellationToken cancellationToken)
    {
        using var ps = Process.Start(new ProcessStartInfo("ps", ["-axo", "pid=,ppid=,args="]) { RedirectStandardOutput = true })!;
        var listing = await ps.StandardOutput.ReadToEndAsync(cancellationToken);
        var processes = listing.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Where(parts => parts.Length == 3 && int.TryParse(parts[0], CultureInfo.InvariantCulture, out _) && int.TryParse(parts[1], CultureInfo.InvariantCulture, out _))
            .Select(parts => (Pid: int.Parse(parts[0], CultureInfo.InvariantCulture), Parent: int.Parse(parts[1], CultureInfo.InvariantCulture), Command: parts[2]))
            .ToList();
        var below = new HashSet<int> { root };
        while (processes.Any(process => below.Contains(process.Parent) && below.Add(process.Pid)))
        {
            // Each round adds one more process, until none is missing.
        }

        return [.. processes.Where(process => process.Pid != root && below.Contains(process.Pid) && process.Command.Contains(text, StringComparison.Ordinal)).Select(process => process.Pid)];
    }
}
