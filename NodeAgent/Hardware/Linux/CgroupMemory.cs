using System.Globalization;

namespace ClusterLlm.NodeAgent.Hardware.Linux;

/// <summary>The control group that leaves this process the least memory.</summary>
/// <param name="UsedBytes">Charged to the group, less the file pages that the kernel drops first.</param>
/// <param name="Source">The file that holds the limit, for example <c>cgroup memory.max</c>.</param>
internal sealed record CgroupMemory(long LimitBytes, long UsedBytes, string Source)
{
    /// <summary>Reads the limit that binds, through <paramref name="read"/>, which gives a file's text or <see langword="null"/>.</summary>
    /// <returns><see langword="null"/> when no group has a limit below <paramref name="machineBytes"/>.</returns>
    public static CgroupMemory? Read(Func<string, string?> read, long machineBytes)
    {
        if (read("/proc/self/cgroup") is not { } text || CgroupPaths.Memory(text) is not { } path)
        {
            return null;
        }

        var (mount, limitFile, usedFile, inactiveKey) = path.Version == 2
            ? ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file")
            : ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
        CgroupMemory? tightest = null;
        foreach (var group in CgroupPaths.WithAncestors(path.Path))
        {
            var folder = mount + group.TrimEnd('/');
            if (Limit(read($"{folder}/{limitFile}")) is not { } limit || limit >= machineBytes)
            {
                continue;
            }

            var used = Number(read($"{folder}/{usedFile}")) ?? 0;
            var inactive = StatValue(read($"{folder}/memory.stat"), inactiveKey) ?? 0;
            var candidate = new CgroupMemory(limit, Math.Max(0, used - inactive), $"cgroup {limitFile}");
            if (tightest is null || candidate.LimitBytes - candidate.UsedBytes < tightest.LimitBytes - tightest.UsedBytes)
            {
                tightest = candidate;
            }
        }

        return tightest;
    }

    /// <summary>Version 2 writes <c>max</c> for no limit; version 1 a number near 2^63, which is above any machine's memory.</summary>
    private static long? Limit(string? text) => text?.Trim() == "max" ? null : Number(text);

    private static long? Number(string? text) =>
        long.TryParse(text?.Trim(), CultureInfo.InvariantCulture, out var value) && value >= 0 ? value : null;

    private static long? StatValue(string? stat, string key)
    {
        foreach (var line in (stat ?? "").Split('\n'))
        {
            var fields = line.Split(' ');
            if (fields.Length == 2 && fields[0] == key)
            {
                return Number(fields[1]);
            }
        }

        return null;
    }
}
