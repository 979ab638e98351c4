using ClusterLlm.Coordinator.Placement;
using Spectre.Console;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>Prints a plan for people.</summary>
internal static class PlanTable
{
    public static void Write(ModelSpec model, int concurrency, PlacementObjective objective, PlanAnswer answer)
    {
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLineInterpolated($"[bold]{model.Id}[/]: {model.LayerCount} layers, {Size(model.TotalBytes)}; best for {Verdicts.Name(objective)}, {concurrency} request(s) at once");
        switch (answer)
        {
            case PlanAnswer.Planned planned:
                WriteStages(planned.Plan);
                WritePredictions(planned.Plan);
                WriteComparison(planned);
                break;
            case PlanAnswer.Refused refused:
                AnsiConsole.MarkupLineInterpolated($"[red]No plan.[/] {refused.Summary}");
                WriteRejections(refused.Rejections.Skip(1));
                WriteMore(refused.Added);
                break;
            case PlanAnswer.NoModel none:
                AnsiConsole.MarkupLineInterpolated($"[red]{none.Message}[/]");
                break;
        }
    }

    private static void WriteStages(PlacementPlan plan)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in (string[])["node", "layers", "weights", "KV cache", "workspace", "together"])
        {
            table.AddColumn(column);
        }

        foreach (var stage in plan.Stages)
        {
            table.AddRow(
                Markup.Escape(stage.NodeId),
                Markup.Escape($"[{stage.FirstLayer}, {stage.FirstLayer + stage.LayerCount})"),
                Size(stage.WeightBytes),
                Size(stage.KvCacheBytes),
                Size(stage.WorkspaceBytes),
                Size(stage.TotalBytes));
        }

        AnsiConsole.Write(table);
    }

    private static void WritePredictions(PlacementPlan plan)
    {
        if (plan.Predictions is not { } predicted)
        {
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumn("predicted").AddColumn("value").AddColumn("80 % band");
        Row("one request", predicted.DecodeTokensPerSecond, "tok/s");
        Row($"{plan.MaxConcurrency} request(s) together", predicted.AggregateTokensPerSecond, "tok/s");
        Row("prefill", predicted.PrefillTokensPerSecond, "tok/s");
        Row("time to first token", predicted.TimeToFirstTokenSeconds, "s");
        table.AddRow("longest context", $"{predicted.LongestContextTokens} tokens", "");
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLineInterpolated($"A step: {string.Join(", ", predicted.DecodeTokensPerSecond.Parts.Select(part => FormattableString.Invariant($"{part.Name} {part.Milliseconds:0.0} ms")))}. From {predicted.DecodeTokensPerSecond.Source}.");

        void Row(string name, PredictedValue value, string unit) => table.AddRow(
            name, FormattableString.Invariant($"{Number(value.Value)} {unit}"), $"{Number(value.Low)} to {Number(value.High)}");
    }

    private static void WriteComparison(PlanAnswer.Planned planned)
    {
        if (planned.Plan.Comparison is { } comparison)
        {
            AnsiConsole.MarkupLineInterpolated($"[bold]{comparison.Verdict}[/]");
            foreach (var removal in comparison.WithoutNode.Where(_ => planned.Plan.Stages.Length > 1))
            {
                AnsiConsole.MarkupLineInterpolated($"  {removal.Message}");
            }
        }

        if (planned.Plan.Optimality is { } optimality)
        {
            AnsiConsole.MarkupLineInterpolated($"{optimality.Statement}");
        }

        WriteRejections(planned.Plan.Rejections);
        WriteMore(planned.Added);
        foreach (var line in planned.Plan.Assumptions.Concat(planned.Notes))
        {
            AnsiConsole.MarkupLineInterpolated($"[grey]  {line}[/]");
        }
    }

    private static void WriteRejections(IEnumerable<Rejection> rejections)
    {
        foreach (var rejection in rejections)
        {
            AnsiConsole.MarkupLineInterpolated($"  {rejection.Message}");
        }
    }

    private static void WriteMore(PlanWithMore? more)
    {
        if (more is not null)
        {
            AnsiConsole.MarkupLineInterpolated($"[bold]{more.Message}[/]");
        }
    }

    private static string Size(long bytes) => MemoryRefusal.Gigabytes(bytes);

    private static string Number(double value) => value switch
    {
        >= 100 => FormattableString.Invariant($"{value:0}"),
        >= 10 => FormattableString.Invariant($"{value:0.0}"),
        _ => FormattableString.Invariant($"{value:0.00}"),
    };
}
