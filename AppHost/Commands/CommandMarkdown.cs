using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Output;

namespace ClusterLlm.AppHost.Commands;

/// <summary>Results of commands as Markdown. Pure.</summary>
internal static class CommandMarkdown
{
    public static string Launched(DeploymentView deployment, string baseUrl) => string.Create(
        CultureInfo.InvariantCulture,
        $"**{Escape(deployment.Name)}** ({Escape(deployment.Model)}) is being loaded. Clients find it at `{baseUrl}/v1` as model `{deployment.Name}`.\n\n{(deployment.Plan is { } plan ? Plan(plan) : "")}");

    public static string Plan(PlanAnswerView answer) => $"Plan for **{Escape(answer.ModelId)}**; nothing was changed.\n\n{Plan(answer.Plan)}";

    public static string Compared(ComparisonView comparison, string baseUrl) =>
        $"Every node alone and the cluster are measured in turn; that takes minutes, and longer for large models.\n\n"
        + $"**[Report of {Escape(comparison.Id)}]({baseUrl}{comparison.Report})** shows progress now and the verdict at the end. "
        + $"The same as [Markdown]({baseUrl}{comparison.Report}?format=markdown) or [JSON]({baseUrl}{comparison.Report}?format=json).\n";

    public static string Rejections(ImmutableArray<RejectionView> rejections) =>
        Table(["Node", "Why not"], rejections.Select(rejection => new[] { rejection.Node, rejection.Message }));

    /// <param name="timeToFirstToken">From the request to the first token.</param>
    /// <param name="tokensPerSecond">After the first token; null when there were not two.</param>
    public static string Answer(string prompt, string answer, TimeSpan timeToFirstToken, int tokens, double? tokensPerSecond) =>
        $"> {Escape(prompt).ReplaceLineEndings("\n> ")}\n\n{Escape(answer)}\n\n" + Table(
            ["Tokens", "Time to first token", "Tokens per second"],
            [[
                tokens.ToString(CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"{timeToFirstToken.TotalMilliseconds:0} ms"),
                tokensPerSecond is { } rate ? Quantity.Rate(rate) : "–",
            ]]);

    private static string Plan(PlanView plan)
    {
        var stages = plan.Stages.OrderBy(stage => stage.FirstLayer).Select((stage, index) => new[]
        {
            (index + 1).ToString(CultureInfo.InvariantCulture),
            stage.Node,
            string.Create(CultureInfo.InvariantCulture, $"{stage.FirstLayer}–{stage.FirstLayer + stage.LayerCount - 1} ({stage.LayerCount})"),
            Quantity.Bytes(stage.WeightBytes),
            Quantity.Bytes(stage.KvCacheBytes),
            Quantity.Bytes(stage.WeightBytes + stage.KvCacheBytes + stage.WorkspaceBytes),
        });
        var text = Table(["Stage", "Node", "Layers", "Weights", "KV cache", "Total"], stages)
            + string.Create(CultureInfo.InvariantCulture, $"\nEngine {Escape(plan.Engine)}; context {plan.ContextTokens} tokens, {plan.Concurrency} at once.\n");
        return plan.Rejections.IsEmpty ? text : $"{text}\nLeft out:\n\n{Rejections(plan.Rejections)}";
    }

    private static string Table(string[] titles, IEnumerable<string[]> rows)
    {
        var text = new StringBuilder();
        AppendRow(text, titles);
        AppendRow(text, [.. titles.Select(_ => "---")]);
        foreach (var row in rows)
        {
            AppendRow(text, [.. row.Select(cell => Escape(cell).ReplaceLineEndings(" "))]);
        }

        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, string[] cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    /// <summary>Names and answers come from outside: none of their characters may act as Markdown or HTML.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if ("\\`*_[]<>#|~".Contains(character, StringComparison.Ordinal))
            {
                escaped.Append('\\');
            }

            escaped.Append(character);
        }

        return escaped.ToString();
    }
}
