using System.Diagnostics;
using System.Globalization;

namespace ClusterLlm.Integration;

/// <summary>Processes below a process, as <c>ps</c> tells on Linux and macOS.</summary>
internal static class ProcessTree
{
    /// <summary>All below <paramref name="root"/> whose command line contains <paramref name="text"/>.</summary>
    public static async Task<IReadOnlyList<int>> BelowAsync(int root, string text, CancellationToken cancellationToken) =>
        [.. Below(await ListAsync(cancellationToken), process => process.Pid == root)
            .Where(process => process.Pid != root && process.Command.Contains(text, StringComparison.Ordinal)).Select(process => process.Pid)];

    /// <summary>All that an Aspire host has started: its orchestrator leaves its tree and names the process that it watches.</summary>
    public static async Task<IReadOnlyList<int>> OfAspireHostAsync(int host, CancellationToken cancellationToken)
    {
        var watches = string.Create(CultureInfo.InvariantCulture, $"--monitor {host} ");
        return [.. Below(await ListAsync(cancellationToken), process => process.Pid == host || process.Command.Contains(watches, StringComparison.Ordinal))
            .Where(process => process.Pid != host).Select(process => process.Pid)];
    }

    private static IEnumerable<(int Pid, int Parent, string Command)> Below(
        List<(int Pid, int Parent, string Command)> processes, Func<(int Pid, int Parent, string Command), bool> isRoot)
    {
        var below = processes.Where(isRoot).Select(process => process.Pid).ToHashSet();
        while (processes.Any(process => below.Contains(process.Parent) && below.Add(process.Pid)))
        {
            // Each round adds one more process, until none is missing.
        }

        return processes.Where(process => below.Contains(process.Pid));
    }

    private static async Task<List<(int Pid, int Parent, string Command)>> ListAsync(CancellationToken cancellationToken)
    {
        using var ps = Process.Start(new ProcessStartInfo("ps", ["-axo", "pid=,ppid=,args="]) { RedirectStandardOutput = true })!;
        var listing = await ps.StandardOutput.ReadToEndAsync(cancellationToken);
        return [.. listing.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Where(parts => parts.Length == 3 && int.TryParse(parts[0], CultureInfo.InvariantCulture, out _) && int.TryParse(parts[1], CultureInfo.InvariantCulture, out _))
            .Select(parts => (Pid: int.Parse(parts[0], CultureInfo.InvariantCulture), Parent: int.Parse(parts[1], CultureInfo.InvariantCulture), Command: parts[2]))];
    }
}
