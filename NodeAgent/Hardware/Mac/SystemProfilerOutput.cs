using System.Globalization;
using System.Text.Json;

namespace ClusterLlm.NodeAgent.Hardware.Mac;

/// <summary>
/// What <c>system_profiler SPHardwareDataType SPDisplaysDataType -json</c> printed: per data type a list of items. A virtual machine has an empty
/// list of displays; Intel Macs and processes under Rosetta have no <c>chip_type</c>.
/// </summary>
internal sealed class SystemProfilerOutput
{
    private SystemProfilerOutput()
    {
    }

    /// <summary><c>chip_type</c>, for example <c>Apple M4 Max</c>, on a virtual machine <c>Apple M1 (Virtual)</c>; empty when unknown.</summary>
    public string Chip { get; private init; } = "";

    /// <summary><c>machine_model</c>, for example <c>Mac16,5</c>.</summary>
    public string Model { get; private init; } = "";

    /// <summary><c>platform_UUID</c>; empty when missing.</summary>
    public string PlatformId { get; private init; } = "";

    /// <summary><c>sppci_cores</c> of the first GPU that has it; it is a string in the JSON. 0 when no GPU tells its cores.</summary>
    public int GpuCores { get; private init; }

    public static SystemProfilerOutput Parse(string? output)
    {
        try
        {
            using var json = JsonDocument.Parse(output ?? "{}");
            var root = json.RootElement;
            return new SystemProfilerOutput
            {
                Chip = First(root, "SPHardwareDataType", "chip_type"),
                Model = First(root, "SPHardwareDataType", "machine_model"),
                PlatformId = First(root, "SPHardwareDataType", "platform_UUID"),
                GpuCores = int.TryParse(First(root, "SPDisplaysDataType", "sppci_cores"), CultureInfo.InvariantCulture, out var cores) ? cores : 0,
            };
        }
        catch (JsonException)
        {
            // Some releases print a warning before the JSON; the facts are then missing.
            return new SystemProfilerOutput();
        }
    }

    private static string First(JsonElement root, string dataType, string key)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(dataType, out var items) || items.ValueKind != JsonValueKind.Array)
        {
            return "";
        }

        return items.EnumerateArray()
            .Select(item => item.ValueKind == JsonValueKind.Object && item.TryGetProperty(key, out var value) ? value.ToString() : "")
            .FirstOrDefault(value => value.Length > 0, "");
    }
}
