using System.Globalization;

namespace ClusterLlm.NodeAgent.Hardware.Linux;

/// <summary>Parsers for /proc/meminfo, /proc/stat, /proc/cpuinfo and /etc/os-release.</summary>
internal static class ProcFiles
{
    private const long KibiByte = 1024;

    /// <summary>Bytes of a line such as <c>MemAvailable:   24117248 kB</c>; <see langword="null"/> when there is no such line.</summary>
    public static long? MemInfoBytes(string memInfo, string name)
    {
        foreach (var line in memInfo.AsSpan().EnumerateLines())
        {
            var colon = line.IndexOf(':');
            if (colon > 0 && line[..colon].SequenceEqual(name))
            {
                var value = line[(colon + 1)..].Trim();
                var end = value.IndexOf(' ');
                return long.TryParse(end < 0 ? value : value[..end], CultureInfo.InvariantCulture, out var kibiBytes)
                    ? kibiBytes * KibiByte
                    : null;
            }
        }

        return null;
    }

    /// <summary>
    /// Time counted by the first line of /proc/stat, in ticks: <c>cpu  user nice system idle iowait irq softirq steal guest guest_nice</c>.
    /// Guest time is inside user time already (proc_stat(5)), so it is not added again.
    /// </summary>
    public static CpuTicks? CpuTime(string stat)
    {
        const int counted = 8;
        var fields = stat.Split('\n', 2)[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 5 || fields[0] != "cpu")
        {
            return null;
        }

        var ticks = new long[counted];
        for (var i = 0; i < counted && i + 1 < fields.Length; i++)
        {
            if (!long.TryParse(fields[i + 1], CultureInfo.InvariantCulture, out ticks[i]))
            {
                return null;
            }
        }

        var idle = ticks[3] + ticks[4];
        return new CpuTicks(ticks.Sum() - idle, idle);
    }

    /// <summary>The CPU's brand: <c>model name</c> on x86, <c>Model</c> or <c>Hardware</c> on boards; empty on machines that say neither.</summary>
    public static string CpuBrand(string cpuInfo)
    {
        foreach (var key in new[] { "model name", "Model", "Hardware" })
        {
            if (ValueOf(cpuInfo, key, ':') is { Length: > 0 } brand)
            {
                return brand;
            }
        }

        return "";
    }

    /// <summary><c>PRETTY_NAME</c> of os-release, for example <c>Debian GNU/Linux 12 (bookworm)</c>; empty when missing.</summary>
    public static string PrettyName(string osRelease) => ValueOf(osRelease, "PRETTY_NAME", '=').Trim('"');

    private static string ValueOf(string text, string key, char separator)
    {
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var at = line.IndexOf(separator);
            if (at > 0 && line[..at].Trim().SequenceEqual(key))
            {
                return line[(at + 1)..].Trim().ToString();
            }
        }

        return "";
    }
}
