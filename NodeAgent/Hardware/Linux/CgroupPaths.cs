using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Hardware.Linux;

/// <summary>Where the memory limits of a process's control groups lie.</summary>
internal static class CgroupPaths
{
    /// <summary>
    /// The memory group of a process from /proc/self/cgroup. Version 2 has one line <c>0::/user.slice/app.scope</c>; version 1 has a line
    /// per controller, for example <c>9:memory:/docker/4f1b</c>; both exist on hybrid systems, where memory belongs to version 1.
    /// </summary>
    public static CgroupPath? Memory(string procSelfCgroup)
    {
        CgroupPath? unified = null;
        foreach (var line in procSelfCgroup.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var fields = line.Split(':', 3);
            if (fields.Length != 3)
            {
                continue;
            }

            if (fields[1].Split(',').Contains("memory"))
            {
                return new CgroupPath(1, fields[2]);
            }

            if (fields[0] == "0" && fields[1].Length == 0)
            {
                unified = new CgroupPath(2, fields[2]);
            }
        }

        return unified;
    }

    /// <summary>The group and all groups above it, the innermost first: a limit of any of them binds. <c>/a/b</c> gives /a/b, /a and /.</summary>
    public static ImmutableArray<string> WithAncestors(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);

        // "/../../x" is what a process sees of a group outside its own namespace: no file of ours lies there.
        if (parts.Contains(".."))
        {
            return ["/"];
        }

        return [.. Enumerable.Range(0, parts.Length + 1).Select(up => "/" + string.Join('/', parts[..^up]))];
    }
}

/// <param name="Version">1 or 2.</param>
/// <param name="Path">Begins with <c>/</c>, relative to the mount of the hierarchy.</param>
internal sealed record CgroupPath(int Version, string Path);
