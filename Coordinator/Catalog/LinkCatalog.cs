using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>Kinds of links that a person can name, with their hop for MLX stages.</summary>
internal static class LinkCatalog
{
    public static ImmutableArray<LinkFacts> BuiltIn { get; } = Parse(CatalogData.Read("link-kinds.csv"), SpeedConstantsFile.BuiltIn);

    public static ImmutableArray<LinkFacts> Parse(string csv, SpeedConstants constants)
    {
        using var text = new StringReader(csv);
        return
        [
            .. CsvTable.Read(text, "link-kinds.csv", "name", "round_trip_ms", "bandwidth_gbyte_s", "hop_constant").Select(row => new LinkFacts(
                row["name"],
                CsvTable.Number(row, "round_trip_ms") ?? 0.4,
                (CsvTable.Number(row, "bandwidth_gbyte_s") ?? 0.1) * 1e9,
                constants.Hops.GetValueOrDefault(row["hop_constant"]) + (CsvTable.Number(row, "hop_extra_ms") ?? 0),
                row["source"])),
        ];
    }
}
