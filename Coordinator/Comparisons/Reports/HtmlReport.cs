using System.Collections.Immutable;
using System.Net;
using System.Text;
using ClusterLlm.Coordinator.Comparisons.Verdicts;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Comparisons.Reports;

/// <summary>A comparison as one HTML file that needs nothing else. While it runs, the page shows how far it is and loads itself again.</summary>
internal static class HtmlReport
{
    private const string Style = """
        body{font:15px/1.5 system-ui,sans-serif;color:#1c2330;background:#f6f7f9;margin:0}
        main{max-width:1120px;margin:0 auto;padding:28px 24px 60px}
        h1{font-size:25px;margin:0 0 4px}h2{font-size:18px;margin:34px 0 6px}
        .quiet{color:#5b6575;font-size:13px}
        .verdict{background:#fff;border-left:6px solid #2f6fde;border-radius:6px;padding:16px 20px;margin:18px 0;box-shadow:0 1px 3px #0002}
        .verdict p.head{font-size:19px;font-weight:650;margin:0 0 10px}
        .verdict h3{font-size:15px;margin:14px 0 0}.verdict p{margin:2px 0}
        .verdict ul{margin:2px 0 0;padding-left:20px;color:#3f4a5a;font-size:13.5px}
        .warn{background:#fff3d6;border:1px solid #e3b341;border-radius:6px;padding:10px 14px;margin:14px 0;font-weight:600}
        .slower{color:#a4262c;font-weight:600}
        table{border-collapse:collapse;background:#fff;width:100%;font-size:13px;box-shadow:0 1px 3px #0002}
        th{background:#e9edf3;text-align:left;font-weight:600}td,th{padding:5px 9px;border-bottom:1px solid #e4e8ee;vertical-align:top}
        .wide{overflow-x:auto}img{max-width:100%;background:#fff;box-shadow:0 1px 3px #0002;border-radius:6px;margin:6px 0}
        .plan{display:flex;height:34px;margin:3px 0 10px;border-radius:4px;overflow:hidden}
        .plan div{color:#fff;font-size:12px;line-height:34px;text-align:center;white-space:nowrap;overflow:hidden;min-width:2px}
        """;

    private static readonly ImmutableArray<string> Colors = ["#2f6fde", "#1d8a5b", "#b2531f", "#7a4fc9", "#b03060", "#3b7f8c", "#8a6d1d", "#5a6270"];

    public static string Of(ComparisonRecord record)
    {
        var figures = ReportFigures.Of(record);
        var body = new StringBuilder();
        body.Append(Head(record));
        body.Append(record.Verdict is { } verdict ? VerdictBox(verdict) : "");
        body.AppendJoin("", record.Regressions.Select(one => $"<p class=\"{(one.IsSlower ? "slower" : "")}\">{Text(one.Sentence)}</p>"));
        body.Append(Image(ReportPlots.Concurrency(figures), "Tokens per second against requests at once"));
        body.Append(Plans(record));
        body.Append(Image(ReportPlots.Prediction(figures), "Measured against predicted"));
        body.AppendJoin("", ReportText.Tables(record, figures).Where(table => !table.Rows.IsEmpty).Select(Table));
        body.Append("<h2>Notes</h2><ul>").AppendJoin("", record.Notes.Select(note => $"<li>{Text(note)}</li>")).Append("</ul>");
        return $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{(record.IsOver ? "" : "<meta http-equiv=\"refresh\" content=\"3\">")}
            <title>{Text(ReportText.Title(record))}</title><style>{Style}</style></head>
            <body><main>{body}</main></body></html>
            """;
    }

    private static string Head(ComparisonRecord record)
    {
        var took = record is { StartedAt: { } from, EndedAt: { } to } ? FormattableString.Invariant($", took {(to - from).TotalMinutes:0.0} min") : "";
        var model = record.Model is { } known
            ? FormattableString.Invariant($"{known.Format}, {known.Layers} layers, {MemoryRefusal.Gigabytes(known.TotalBytes)}, a token reads {MemoryRefusal.Gigabytes(known.ActiveBytes)}. Prompts: {known.PromptSource}. ")
            : "";
        var progress = record.Progress is { } step
            ? $"<div class=\"warn\">{Text(step.Phase)}; {step.Done} of at most {step.AtMost} visits{(step.SecondsLeftAtMost is { } left ? FormattableString.Invariant($", at most {left:0} s left") : "")}. This page loads itself again.</div>"
            : "";
        return $"""
            <h1>{Text(ReportText.Title(record))}</h1>
            <p class="quiet">{record.Id}, {FormattableString.Invariant($"{record.CreatedAt:yyyy-MM-dd HH:mm}")} UTC, {record.State.ToString().ToLowerInvariant()}{took}. {Text(model)}{Text(record.Reason ?? "")}</p>
            {(record.IsArtificial ? "<div class=\"warn\">Artificial limits: nodes of this comparison were slowed down on purpose. It says nothing about the machines.</div>" : "")}{progress}
            """;
    }

    private static string VerdictBox(Verdict verdict)
    {
        var findings = ReportText.Findings(verdict).Select(one =>
            $"<h3>{one.Question}</h3><p>{Text(one.Finding.Sentence)}</p><ul>{string.Concat(one.Finding.Why.Select(why => $"<li>{Text(why)}</li>"))}</ul>");
        var point = verdict.BreakEven is { } even ? $"<h3>Break-even</h3><p>{Text(even.Sentence)}</p>" : "";
        return FormattableString.Invariant(
            $"<div class=\"verdict\"><p class=\"head\">{Text(verdict.Headline)}</p>{string.Concat(findings)}{point}<p class=\"quiet\">The chance that any claim of this verdict is wrong by accident of measuring is at most {100 * (1 - verdict.Confidence):0} %.</p></div>");
    }

    /// <summary>Which layers lie where, to scale.</summary>
    private static string Plans(ComparisonRecord record)
    {
        var nodes = record.Machines.Select(machine => machine.Node).ToArray();
        var html = new StringBuilder("<h2>Plans</h2>");
        foreach (var one in record.Candidates.Where(one => !one.Stages.IsEmpty))
        {
            html.Append(FormattableString.Invariant($"<div class=\"quiet\">{Text(one.Candidate.Label)}</div><div class=\"plan\">"));
            foreach (var stage in one.Stages)
            {
                var color = Colors[Math.Max(0, Array.IndexOf(nodes, stage.NodeId)) % Colors.Length];
                html.Append(FormattableString.Invariant(
                    $"<div style=\"flex:{stage.LayerCount};background:{color}\">{Text(stage.NodeId)}: layers {stage.FirstLayer}–{stage.FirstLayer + stage.LayerCount - 1}, {MemoryRefusal.Gigabytes(stage.TotalBytes)}</div>"));
            }

            html.Append("</div>");
        }

        return html.ToString();
    }

    private static string Table(ReportTable table)
    {
        static string Row(ImmutableArray<string> cells, string tag) => $"<tr>{string.Concat(cells.Select(cell => $"<{tag}>{Text(cell)}</{tag}>"))}</tr>";
        var remark = table.Remark is null ? "" : $"<p class=\"quiet\">{Text(table.Remark)}</p>";
        return $"<h2>{Text(table.Title)}</h2>{remark}<div class=\"wide\"><table>{Row(table.Columns, "th")}{string.Concat(table.Rows.Select(row => Row(row, "td")))}</table></div>";
    }

    /// <summary>As an image of its own: two SVGs in one page would share their ids.</summary>
    private static string Image(string? svg, string what) =>
        svg is null ? "" : $"<p><img alt=\"{Text(what)}\" src=\"data:image/svg+xml;base64,{Convert.ToBase64String(Encoding.UTF8.GetBytes(svg))}\"></p>";

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}
