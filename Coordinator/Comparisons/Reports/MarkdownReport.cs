using System.Text;

namespace ClusterLlm.Coordinator.Comparisons.Reports;

/// <summary>A comparison as Markdown. Pure.</summary>
internal static class MarkdownReport
{
    public static string Of(ComparisonRecord record)
    {
        var text = new StringBuilder();
        Line(text, $"# {Escape(ReportText.Title(record))}\n");
        Line(text, FormattableString.Invariant($"Comparison {record.Id}, {record.CreatedAt:yyyy-MM-dd HH:mm} UTC, {record.State.ToString().ToLowerInvariant()}. {Escape(record.Reason ?? "")}\n"));
        if (record.IsArtificial)
        {
            Line(text, "> **Artificial limits**: nodes of this comparison were slowed down on purpose. It says nothing about the machines.\n");
        }

        if (record.Verdict is { } verdict)
        {
            Line(text, $"**{Escape(verdict.Headline)}**\n");
            foreach (var (question, finding) in ReportText.Findings(verdict))
            {
                Line(text, $"- **{question}**: {Escape(finding.Sentence)}");
                foreach (var why in finding.Why)
                {
                    Line(text, $"  - {Escape(why)}");
                }
            }

            Line(text, verdict.BreakEven is { } point ? $"- **Break-even**: {Escape(point.Sentence)}\n" : "");
        }

        foreach (var regression in record.Regressions)
        {
            Line(text, $"- {Escape(regression.Sentence)}");
        }

        foreach (var table in ReportText.Tables(record, ReportFigures.Of(record)).Where(table => !table.Rows.IsEmpty))
        {
            Table(text, table);
        }

        Line(text, "\n## Notes\n");
        foreach (var note in record.Notes)
        {
            Line(text, $"- {Escape(note)}");
        }

        return text.ToString();
    }

    private static void Table(StringBuilder text, ReportTable table)
    {
        Line(text, $"\n## {table.Title}\n");
        if (table.Remark is not null)
        {
            Line(text, $"{table.Remark}\n");
        }

        Line(text, $"| {string.Join(" | ", table.Columns)} |");
        Line(text, $"|{string.Concat(table.Columns.Select(_ => "---|"))}");
        foreach (var row in table.Rows)
        {
            Line(text, $"| {string.Join(" | ", row.Select(Escape))} |");
        }
    }

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');

    /// <summary>Names and answers come from outside: none of their characters may act as Markdown or HTML.</summary>
    private static string Escape(string value)
    {
        var text = new StringBuilder(value.Length);
        foreach (var character in value.ReplaceLineEndings(" "))
        {
            if ("\\`*_[]<>#|~".Contains(character, StringComparison.Ordinal))
            {
                text.Append('\\');
            }

            text.Append(character);
        }

        return text.ToString();
    }
}
