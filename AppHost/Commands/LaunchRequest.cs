using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace ClusterLlm.AppHost.Commands;

/// <summary>Body of a plan or deployment request; what is null is left to the Coordinator.</summary>
internal sealed record LaunchRequest(
    string Model,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Objective,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? ContextTokens,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Concurrency,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableArray<string>? Nodes)
{
    /// <summary>The objective of a person who wants to see the model split: the API takes all named nodes when it is told no objective.</summary>
    public const string AllNodes = "all-nodes";

    /// <summary>For <see cref="CommandDescription.Rule"/>.</summary>
    public static (string Argument, string Problem)? Rule(IReadOnlyDictionary<string, string?> values) =>
        CommandValues.Text(values, "objective") == AllNodes && CommandValues.Names(values, "nodes") is null
            ? ("nodes", "Name the nodes to split the model over, or choose another objective.")
            : null;

    /// <param name="values">Checked values of the launch or plan command.</param>
    public static LaunchRequest From(IReadOnlyDictionary<string, string?> values) => new(
        CommandValues.Text(values, "model"),
        CommandValues.Text(values, "name") is { Length: > 0 } name ? name : null,
        CommandValues.Text(values, "objective") is { Length: > 0 } objective and not AllNodes ? objective : null,
        CommandValues.Number(values, "contextTokens"),
        CommandValues.Number(values, "concurrency"),
        CommandValues.Names(values, "nodes"));
}
