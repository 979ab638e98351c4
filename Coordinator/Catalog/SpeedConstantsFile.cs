using System.Text.Json;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>Reads and writes the table of fitted constants (Data/speed-constants.json).</summary>
internal static class SpeedConstantsFile
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static SpeedConstants BuiltIn { get; } = Parse(CatalogData.Read("speed-constants.json"));

    public static SpeedConstants Parse(string json) =>
        JsonSerializer.Deserialize<SpeedConstants>(json, Options) ?? throw new InvalidDataException("speed-constants.json holds null.");

    public static string Write(SpeedConstants constants) => JsonSerializer.Serialize(constants, Options) + "\n";
}
