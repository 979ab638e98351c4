using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>A chip as the catalogue lists it.</summary>
/// <param name="MemoryGigabytes">Sizes that it was sold with.</param>
/// <param name="Thunderbolt">For example <c>TB5</c>.</param>
internal sealed record ChipEntry(ChipFacts Facts, ImmutableArray<int> MemoryGigabytes, string Thunderbolt, bool Rdma, string Notes);

/// <summary>Apple's chips with bandwidth and compute; anything else is planned with a stated assumption.</summary>
internal sealed class ChipCatalog
{
    // A search asks for the same few chips thousands of times.
    private readonly ConcurrentDictionary<(string Name, int GpuCores, int CpuCores), ChipFacts> _found = new();

    private ChipCatalog(ImmutableArray<ChipEntry> entries) => Entries = entries;

    public static ChipCatalog BuiltIn { get; } = Parse(CatalogData.Read("chips.csv"));

    public ImmutableArray<ChipEntry> Entries { get; }

    public static ChipCatalog Parse(string csv)
    {
        using var text = new StringReader(csv);
        var rows = CsvTable.Read(text, "chips.csv", "chip", "gpu_cores", "mem_bandwidth_gbs", "fp16_tflops_gpu_approx", "source");
        return new ChipCatalog([.. rows.Select(Entry)]);
    }

    /// <summary>The chip that an agent or a person names.</summary>
    /// <param name="name">For example <c>Apple M4 Pro</c> or <c>m4 pro</c>.</param>
    /// <param name="gpuCores">0 when unknown: the variant with the most cores is taken, and said.</param>
    /// <param name="cpuCores">Used only for machines without an Apple chip.</param>
    public ChipFacts Find(string name, int gpuCores, int cpuCores) =>
        _found.GetOrAdd((name, gpuCores, cpuCores), static (key, catalog) => catalog.Search(key.Name, key.GpuCores, key.CpuCores), this);

    private ChipFacts Search(string name, int gpuCores, int cpuCores)
    {
        var chip = Normalize(name);
        var variants = Entries.Where(entry => string.Equals(entry.Facts.Chip, chip, StringComparison.OrdinalIgnoreCase)).ToArray();
        if (variants.Length == 0)
        {
            return ChipAssumptions.ForUnknown(name, gpuCores, cpuCores, Entries);
        }

        var best = gpuCores > 0
            ? variants.MinBy(entry => Math.Abs(entry.Facts.GpuCores - gpuCores))!.Facts
            : variants.MaxBy(entry => entry.Facts.GpuCores)!.Facts;
        return best.GpuCores == gpuCores
            ? best
            : best with
            {
                Assumption = gpuCores > 0
                    ? $"{best.Chip} with {gpuCores} GPU cores is not listed; planned as the one with {best.GpuCores}."
                    : $"The number of GPU cores is not known; planned as {best.Chip} with {best.GpuCores}.",
            };
    }

    /// <summary>True when the catalogue lists this chip.</summary>
    public bool Knows(string name) =>
        Entries.Any(entry => string.Equals(entry.Facts.Chip, Normalize(name), StringComparison.OrdinalIgnoreCase));

    private static string Normalize(string name)
    {
        var words = name.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join(' ', words.Where(word => !word.Equals("Apple", StringComparison.OrdinalIgnoreCase)));
    }

    private static ChipEntry Entry(Dictionary<string, string> row)
    {
        var chip = row["chip"];
        var shader = Required(row, "fp16_tflops_gpu_approx") * 1e12;
        var facts = new ChipFacts(
            chip,
            chip.Split(' ')[0],
            Die(chip),
            (int)Required(row, "gpu_cores"),
            Required(row, "mem_bandwidth_gbs") * 1e9,
            shader,
            CsvTable.Number(row, "accel_fp16_tflops_m5plus") * 1e12 ?? shader,
            null,
            row["source"]);
        return new ChipEntry(
            facts,
            [.. row.GetValueOrDefault("max_memory_options_gb", "").Split('/').Select(size => size.TrimEnd('~'))
                .Where(size => int.TryParse(size, out _)).Select(size => int.Parse(size, CultureInfo.InvariantCulture))],
            row.GetValueOrDefault("thunderbolt", ""),
            row.GetValueOrDefault("rdma_over_tb", "").StartsWith("yes", StringComparison.Ordinal),
            row.GetValueOrDefault("notes", ""));
    }

    private static double Required(Dictionary<string, string> row, string column) =>
        CsvTable.Number(row, column) ?? throw new InvalidDataException($"chips.csv: {column} of {row["chip"]} is \"{row[column]}\", no number.");

    private static DieClass Die(string chip) => chip.Split(' ') switch
    {
        [_] => DieClass.Base,
        [_, "Pro"] => DieClass.Pro,
        [_, "Max"] => DieClass.Max,
        [_, "Ultra"] => DieClass.Ultra,
        _ => DieClass.Unknown,
    };
}
