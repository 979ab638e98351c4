using System.Globalization;
using System.Text.RegularExpressions;

namespace ClusterLlm.NodeAgent.Hardware.Mac;

/// <summary>Parsers for the short outputs: sw_vers, memory_pressure, notifyutil and pmset.</summary>
internal static partial class MacTextOutputs
{
    /// <summary>
    /// <c>macOS 26.6.2</c> from <c>sw_vers</c>, which prints <c>ProductVersion:</c>, one or two tabs and the version; empty when missing.
    /// </summary>
    public static string OperatingSystem(string? swVers)
    {
        var fields = (swVers ?? "").Split('\n').Select(line => line.Split(':', 2)).Where(parts => parts.Length == 2).ToLookup(parts => parts[0].Trim(), parts => parts[1].Trim());
        return $"{fields["ProductName"].FirstOrDefault()} {fields["ProductVersion"].FirstOrDefault()}".Trim();
    }

    /// <summary>The last line of <c>memory_pressure -Q</c>, <c>System-wide memory free percentage: 63%</c>, as 0 to 1.</summary>
    public static double? FreePart(string? memoryPressure) =>
        FreePercentage().Match(memoryPressure ?? "") is { Success: true } match
            ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) / 100.0
            : null;

    /// <summary>
    /// <c>com.apple.system.thermalpressurelevel 0</c>: 0 nominal, 1 moderate, 2 heavy, 3 trapping, 4 sleeping. A failure is printed with exit
    /// code 0 (<c>…: Failed with code 9</c>), so only a number at the end counts, and none above 4.
    /// </summary>
    public static ThermalState ThermalPressure(string? notifyutil) => ThermalLevel().Match(notifyutil ?? "").Groups[1].Value switch
    {
        "0" => ThermalState.Nominal,
        "1" => ThermalState.Fair,
        "2" => ThermalState.Serious,
        "3" or "4" => ThermalState.Critical,
        _ => ThermalState.Unknown,
    };

    /// <summary>
    /// <c>CPU_Speed_Limit = 70</c> of <c>pmset -g therm</c> on Intel, in per cent of full speed; Apple silicon says nothing there. The steps are
    /// assumed; replace when measured.
    /// </summary>
    public static ThermalState CpuSpeedLimit(string? pmsetTherm)
    {
        if (SpeedLimit().Match(pmsetTherm ?? "") is not { Success: true } match)
        {
            return ThermalState.Unknown;
        }

        return int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) switch
        {
            >= 100 => ThermalState.Nominal,
            >= 80 => ThermalState.Fair,
            >= 50 => ThermalState.Serious,
            _ => ThermalState.Critical,
        };
    }

    [GeneratedRegex(@"memory free percentage:\s*(\d{1,3})%")]
    private static partial Regex FreePercentage();

    [GeneratedRegex(@"thermalpressurelevel (\d+)\s*$")]
    private static partial Regex ThermalLevel();

    [GeneratedRegex(@"CPU_Speed_Limit\s*=\s*(\d{1,3})")]
    private static partial Regex SpeedLimit();
}
