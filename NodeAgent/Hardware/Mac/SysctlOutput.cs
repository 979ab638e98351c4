using System.Globalization;

namespace ClusterLlm.NodeAgent.Hardware.Mac;

/// <summary>
/// What <c>sysctl -i NAME…</c> printed, for example
/// <code>
/// hw.memsize: 34359738368
/// iogpu.wired_limit_mb: 0 -> 114688
/// machdep.cpu.brand_string: Apple M1 Pro
/// </code>
/// Names that the machine does not have are left out; a write prints the old value, an arrow and the new one.
/// </summary>
internal sealed class SysctlOutput
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private SysctlOutput()
    {
    }

    public static SysctlOutput Parse(string? output)
    {
        var parsed = new SysctlOutput();
        foreach (var line in (output ?? "").Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
            {
                parsed._values[line[..colon].Trim()] = line[(colon + 1)..].Split(" -> ")[^1].Trim();
            }
        }

        return parsed;
    }

    /// <summary>Empty when the machine does not have the name.</summary>
    public string Text(string name) => _values.GetValueOrDefault(name, "");

    public long? Number(string name) => long.TryParse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>
    /// Cores of all performance levels. The levels are added up and not told apart: level 1 is the efficiency cores on an M1, but performance cores
    /// on an M5 Max, whose level 0 is called Super.
    /// </summary>
    public int? Cores()
    {
        if (Number("hw.ncpu") is { } all)
        {
            return (int)all;
        }

        var levels = Enumerable.Range(0, 4)
            .Select(level => Number(string.Create(CultureInfo.InvariantCulture, $"hw.perflevel{level}.physicalcpu")))
            .OfType<long>()
            .ToArray();
        return levels.Length > 0 ? (int)levels.Sum() : null;
    }

    /// <summary><c>kern.memorystatus_vm_pressure_level</c>: 1 normal, 2 warning, 4 critical; there is no 3.</summary>
    public MemoryPressure Pressure() => Number("kern.memorystatus_vm_pressure_level") switch
    {
        1 => MemoryPressure.Normal,
        2 => MemoryPressure.Warning,
        4 => MemoryPressure.Critical,
        _ => MemoryPressure.Unknown,
    };
}
