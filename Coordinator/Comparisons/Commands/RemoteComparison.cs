using System.Text.Json;
using System.Text.Json.Nodes;
using ClusterLlm.Coordinator.Comparisons.Reports;
using ClusterLlm.Coordinator.Comparisons.Storage;
using Spectre.Console;

namespace ClusterLlm.Coordinator.Comparisons.Commands;

/// <summary>Starts a comparison on a running Coordinator, shows how far it is, and prints what came of it.</summary>
internal static class RemoteComparison
{
    /// <returns>0 when it is complete, 3 when it ended otherwise.</returns>
    public static async Task<int> RunAsync(ComparisonClient client, JsonObject body, bool asJson, FileInfo? html, CancellationToken cancellationToken)
    {
        var id = await client.StartAsync(body, cancellationToken);
        var last = await WatchAsync(client, id, cancellationToken);
        if (html is not null)
        {
            await File.WriteAllTextAsync(html.FullName, await client.ReportAsync(id, "format=html", cancellationToken), cancellationToken);
        }

        var json = await client.ReportAsync(id, "format=json", cancellationToken);
        if (asJson)
        {
            Console.WriteLine(json);
        }
        else
        {
            Write(JsonSerializer.Deserialize<ComparisonRecord>(json, ComparisonStore.Json)!, $"{client.BaseUrl}/api/comparisons/{id}/report");
        }

        return last?.State == ComparisonState.Completed ? 0 : 3;
    }

    private static async Task<ComparisonEvent?> WatchAsync(ComparisonClient client, string id, CancellationToken cancellationToken)
    {
        ComparisonEvent? last = null;
        // Progress goes to standard error: standard output is for the result.
        var progress = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        var shown = "";
        await foreach (var happening in client.WatchAsync(id, cancellationToken))
        {
            last = happening;
            var left = happening.Progress?.SecondsLeftAtMost is { } seconds ? FormattableString.Invariant($", at most {seconds:0} s left") : "";
            var line = happening.Progress is { } step ? $"{step.Phase}{left}" : happening.State.ToString().ToLowerInvariant();
            if (line != shown)
            {
                shown = line;
                progress.MarkupLineInterpolated($"[grey]{line}[/]");
            }
        }

        return last;
    }

    private static void Write(ComparisonRecord record, string reportUrl)
    {
        if (record.Verdict is { } verdict)
        {
            AnsiConsole.WriteLine();
            AnsiConsole.MarkupLineInterpolated($"[bold]{verdict.Headline}[/]");
            foreach (var (_, finding) in ReportText.Findings(verdict))
            {
                AnsiConsole.MarkupLineInterpolated($"  {finding.Sentence}");
            }

            AnsiConsole.MarkupLineInterpolated($"  {verdict.BreakEven?.Sentence ?? ""}");
        }

        var results = ReportText.Tables(record, ReportFigures.Of(record))[0];
        var table = new Table().Border(TableBorder.Simple).AddColumns([.. results.Columns]);
        foreach (var row in results.Rows)
        {
            table.AddRow([.. row.Select(Markup.Escape)]);
        }

        AnsiConsole.Write(table);
        foreach (var line in record.Regressions.Select(one => one.Sentence).Concat(record.Notes).Append(record.Reason ?? ""))
        {
            AnsiConsole.MarkupLineInterpolated($"[grey]  {line}[/]");
        }

        AnsiConsole.MarkupLineInterpolated($"Report: {reportUrl}");
    }
}
