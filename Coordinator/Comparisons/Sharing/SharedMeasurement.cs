using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Statistics;

namespace ClusterLlm.Coordinator.Comparisons.Sharing;

/// <summary>One line of a file that people share: what a machine, or several, did with a model. Definitions: docs/measuring.md.</summary>
/// <param name="Schema">Always <see cref="CurrentSchema"/>.</param>
/// <param name="Nodes">Machines that held layers; figures of one are what calibrations come from.</param>
/// <param name="ActiveBytes">Weights that a token reads.</param>
/// <param name="DecodeTokensPerSecond">Of one request.</param>
/// <param name="Source">Who measured.</param>
/// <param name="ArtificialLimits">Not null when it was slowed down on purpose: such a row is of no use to others.</param>
internal sealed record SharedMeasurement(
    string Schema,
    string Source,
    DateTimeOffset MeasuredAt,
    string Chip,
    int GpuCores,
    long MemoryBytes,
    int Nodes,
    string OperatingSystem,
    string Engine,
    string EngineVersion,
    string Model,
    string Format,
    int Layers,
    long ActiveBytes,
    int PromptTokens,
    int OutputTokens,
    int Concurrency,
    double DecodeTokensPerSecond,
    double PrefillTokensPerSecond,
    double TimeToFirstTokenSeconds,
    double AggregateTokensPerSecond,
    int Rounds,
    string? ArtificialLimits)
{
    public const string CurrentSchema = "clusterllm-measurement-1";

    /// <summary>Energy for a generated token by the machines' own estimate for CPU, GPU and neural engine; <see langword="null"/> when it was not measured.</summary>
    public double? JoulesPerToken { get; init; }

    /// <summary>All that a comparison measured, one row for each candidate and cell; the median over its rounds.</summary>
    /// <param name="source">Who measured, as it shall be shown to others.</param>
    public static ImmutableArray<SharedMeasurement> Of(ComparisonRecord record, string source) =>
    [
        .. from candidate in record.Candidates
           where candidate.IsRanked && record.Model is not null
           from cell in record.Cells
           let samples = record.Samples.Where(sample => sample.CandidateId == candidate.Candidate.Id && sample.Cell == cell && sample.Counts).ToArray()
           where samples.Length > 0
           select Row(record, record.Model!, candidate, cell, samples, source),
    ];

    private static SharedMeasurement Row(
        ComparisonRecord record, ModelSummary model, CandidateResult candidate, Cell cell, Sample[] samples, string source)
    {
        var machines = record.Machines.Where(machine => candidate.Candidate.Nodes.Contains(machine.Node)).ToArray();
        var first = machines[0];
        return new SharedMeasurement(
            CurrentSchema,
            source,
            record.EndedAt ?? record.CreatedAt,
            string.Join(" + ", machines.Select(machine => machine.Chip).Distinct()),
            first.GpuCores,
            machines.Sum(machine => machine.MemoryBytes),
            machines.Length,
            first.OperatingSystem,
            candidate.Candidate.Engine,
            candidate.EngineVersion,
            model.Id,
            model.Format,
            model.Layers,
            model.ActiveBytes,
            cell.Workload.PromptTokens,
            cell.Workload.OutputTokens,
            cell.Concurrency,
            Quantiles.Median(samples.Select(sample => sample.DecodeTokensPerSecond)),
            Quantiles.Median(samples.Select(sample => sample.PrefillTokensPerSecond)),
            Quantiles.Median(samples.Select(sample => sample.TimeToFirstTokenSeconds)),
            Quantiles.Median(samples.Select(sample => sample.AggregateTokensPerSecond)),
            samples.Length,
            machines.Select(machine => machine.ArtificialLimits).FirstOrDefault(limits => limits is not null))
        {
            JoulesPerToken = Sample.MedianJoules(samples),
        };
    }
}
