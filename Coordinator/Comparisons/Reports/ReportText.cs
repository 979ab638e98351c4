using System.Collections.Immutable;
using System.Globalization;
using ClusterLlm.Coordinator.Comparisons.Verdicts;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Comparisons.Reports;

/// <summary>A table of a report.</summary>
internal sealed record ReportTable(string Title, string? Remark, ImmutableArray<string> Columns, ImmutableArray<ImmutableArray<string>> Rows);

/// <summary>What both reports say, without any markup. Pure.</summary>
internal static class ReportText
{
    public static string Title(ComparisonRecord record) => $"Cluster or one node? {record.Model?.Id ?? record.Spec.Model}";

    public static ImmutableArray<(string Question, Finding Finding)> Findings(Verdict verdict) =>
        [("One request", verdict.OneRequest), ("Many requests", verdict.ManyRequests), ("Memory", verdict.Memory)];

    public static ImmutableArray<ReportTable> Tables(ComparisonRecord record, ImmutableArray<CellFigures> figures) =>
        [Results(record, figures), Cells(figures), Differences(record), Candidates(record), Machines(record)];

    public static string Number(double value) => !double.IsFinite(value) ? "–" : Math.Abs(value) switch
    {
        0 => "0",
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.ToString("0.000", CultureInfo.InvariantCulture),
    };

    /// <summary>As people publish it: one line for each candidate.</summary>
    private static ReportTable Results(ComparisonRecord record, ImmutableArray<CellFigures> figures)
    {
        var rows = ImmutableArray.CreateBuilder<ImmutableArray<string>>();
        foreach (var group in figures.GroupBy(one => one.Candidate.Candidate.Id))
        {
            var one = group.OrderBy(figure => figure.Cell.Concurrency).First();
            var many = group.OrderBy(figure => figure.Cell.Concurrency).Last();
            rows.Add(
            [
                one.Candidate.Candidate.Label + (one.Candidate.IsRanked ? "" : $" [{Word(one.Candidate)}]"),
                one.Candidate.Candidate.Kind == CandidateKind.Smaller ? "" : record.Model?.Format ?? "",
                Number(one.Decode),
                FormattableString.Invariant($"{one.TimeToFirstToken * 1e3:0} ms"),
                Number(one.Prefill),
                FormattableString.Invariant($"{Number(many.Together)} at {many.Cell.Concurrency}"),
                MemoryRefusal.Gigabytes(ReportFigures.PeakBytes(one.Candidate)),
            ]);
        }

        var first = figures.IsEmpty ? "" : $"tok/s, TTFT and prefill of one request of {figures[0].Cell.Workload} tokens; ";
        return new ReportTable("Results", $"{first}memory is the most that the candidate held on one node.", ["candidate", "format", "tok/s", "TTFT", "prefill tok/s", "together tok/s", "memory per node"], rows.ToImmutable());
    }

    private static ReportTable Cells(ImmutableArray<CellFigures> figures)
    {
        // A column that says nothing would make a wide table wider.
        string[] energy = figures.Any(one => one.JoulesPerToken is not null) ? ["J/token"] : [];
        return new(
            "Every cell, measured beside predicted",
            "Together: all generated tokens / time from the first request to the last token, geometric mean over the rounds with its 95 % interval. Predicted values with their 80 % band.",
            ["candidate", "prompt+output", "at once", "together tok/s", "predicted", "each tok/s", "predicted", "TTFT ms (p95)", "predicted", "prefill tok/s", "predicted", "gap p95 ms", .. energy, "rounds"],
            [
                .. figures.Select(one => (ImmutableArray<string>)
                [
                    one.Candidate.Candidate.Label,
                    one.Cell.Workload.ToString(),
                    Whole(one.Cell.Concurrency),
                    one.TogetherInterval is { } interval ? $"{Number(one.Together)} ({Number(interval.Low)} to {Number(interval.High)})" : $"{Number(one.Together)} (too few rounds)",
                    Band(one.Predicted?.AggregateTokensPerSecond, 1),
                    Number(one.Decode),
                    one.Cell.Concurrency == 1 ? Band(one.Predicted?.DecodeTokensPerSecond, 1) : "",
                    $"{Number(one.TimeToFirstToken * 1e3)} ({Number(one.TimeToFirstTokenP95 * 1e3)})",
                    one.Cell.Concurrency == 1 ? Band(one.Predicted?.TimeToFirstTokenSeconds, 1e3) : "",
                    Number(one.Prefill),
                    one.Cell.Concurrency == 1 ? Band(one.Predicted?.PrefillTokensPerSecond, 1) : "",
                    Number(one.GapP95),
                    .. energy.Select(_ => one.JoulesPerToken is { } joules ? Number(joules) : "–"),
                    Whole(one.Rounds),
                ]),
            ]);
    }

    private static ReportTable Differences(ComparisonRecord record)
    {
        string Name(string id) => record.Find(id)?.Candidate.Label ?? id;
        return new ReportTable(
            "The best cluster against the best node, cell by cell",
            "Each interval is for its cell alone; only the verdict's intervals hold together.",
            ["prompt+output", "at once", "cluster", "node", "cluster / node"],
            [
                .. (record.Verdict?.Cells ?? []).Select(one => ImmutableArray.Create(
                    one.Cell.Workload.ToString(), Whole(one.Cell.Concurrency), Name(one.Cluster), Name(one.Single), one.Factor?.ToString() ?? "too few rounds")),
            ]);
    }

    private static ReportTable Candidates(ComparisonRecord record) => new(
        "Candidates",
        null,
        ["candidate", "why it is one", "state", "engine", "stages", "greedy answer", "pressure, heat"],
        [
            .. record.Candidates.Select(one => ImmutableArray.Create(
                one.Candidate.Label,
                one.Candidate.Origin,
                one.Reason is null ? Word(one) : $"{Word(one)}: {one.Reason}",
                $"{one.Candidate.Engine} {one.EngineVersion}",
                string.Join(", ", one.Candidate.Stages.Select(stage => $"{stage.NodeId} [{stage.FirstLayer}, {stage.EndLayer})")),
                one.AnswerCheck ?? "–",
                string.Join("; ", one.NodeUse.Where(use => use.IsPart).Select(use => $"{use.Node} {use.WorstPressure}, {use.WorstThermal}")))),
        ]);

    private static ReportTable Machines(ComparisonRecord record) => new(
        "Machines",
        null,
        ["node", "chip", "memory", "usable", "system", "engines", "agent", "artificial limits"],
        [
            .. record.Machines.Select(one => ImmutableArray.Create(
                one.Node,
                one.GpuCores > 0 ? $"{one.Chip}, {one.GpuCores} GPU cores" : $"{one.Chip}, {one.CpuCores} CPU cores",
                FormattableString.Invariant($"{one.MemoryBytes / 1e9:0.0} GB"),
                FormattableString.Invariant($"{one.UsableBytes / 1e9:0.0} GB"),
                one.OperatingSystem,
                string.Join(", ", one.Engines.Select(engine => $"{engine.Key} {engine.Value}")),
                one.AgentVersion,
                one.ArtificialLimits ?? "none")),
        ]);

    private static string Word(CandidateResult one) => one.State switch
    {
        CandidateState.Wrong => "WRONG OUTPUT",
        CandidateState.Measured when one.Candidate.Kind == CandidateKind.Smaller => "another model, not ranked",
        _ => one.State.ToString().ToLowerInvariant(),
    };

    private static string Band(Predicted? value, double factor) =>
        value is null ? "–" : $"{Number(value.Value * factor)} ({Number(value.Low * factor)} to {Number(value.High * factor)})";

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);
}
