using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>What is assumed of a chip that the catalogue doesn't list.</summary>
internal static class ChipAssumptions
{
    // assumed; two channels of DDR5-4800 give 77 GB/s at best, cloud machines share more. Replace by a calibration of the machine.
    private const double ProcessorBandwidth = 40e9;

    // assumed: 16 single-precision multiply-adds per cycle and core at 3 GHz, half of it reached.
    private const double ProcessorFlopsPerCore = 48e9;

    public static ChipFacts ForUnknown(string name, int gpuCores, int cpuCores, ImmutableArray<ChipEntry> entries)
    {
        var words = name.Replace("Apple", "", StringComparison.OrdinalIgnoreCase).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words is [['M' or 'm', .. var digits], ..] && int.TryParse(digits, out var generation)
            ? NewApple(name, generation, words.Length > 1 ? words[1] : "", gpuCores, entries)
            : Processor(name, cpuCores);
    }

    /// <summary>A generation that came after the catalogue is planned as the newest listed one of its size: it will not be slower.</summary>
    private static ChipFacts NewApple(string name, int generation, string size, int gpuCores, ImmutableArray<ChipEntry> entries)
    {
        var die = Enum.TryParse<DieClass>(size, ignoreCase: true, out var parsed) ? parsed : DieClass.Base;
        var like = entries.Where(entry => entry.Facts.Die == die).MaxBy(entry => (entry.Facts.Generation, -entry.Facts.GpuCores))!.Facts;
        return like with
        {
            Chip = name,
            Generation = $"M{generation}",
            GpuCores = gpuCores > 0 ? gpuCores : like.GpuCores,
            Assumption = $"{name} is not in the catalogue; planned as {like.Chip} with {like.GpuCores} GPU cores, the newest listed one of its size.",
        };
    }

    private static ChipFacts Processor(string name, int cpuCores)
    {
        var flops = ProcessorFlopsPerCore * Math.Max(1, cpuCores);
        var called = string.IsNullOrWhiteSpace(name) ? "The chip is not known" : $"{name} is not in the catalogue";
        return new ChipFacts(
            string.IsNullOrWhiteSpace(name) ? "unknown" : name,
            "",
            DieClass.Unknown,
            0,
            ProcessorBandwidth,
            flops,
            flops,
            $"{called}; planned with {ProcessorBandwidth / 1e9:0} GB/s of memory bandwidth and {flops / 1e9:0} GFLOPS on its {Math.Max(1, cpuCores)} CPU cores. Calibrate the node for better figures.",
            "assumed");
    }
}
