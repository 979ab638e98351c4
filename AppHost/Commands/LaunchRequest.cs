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
    /// <param name="values">Checked values of the launch or plan command.</param>
    public static LaunchRequest From(IReadOnlyDictionary<string, string?> values) => new(
        CommandValues.Text(values, "model"),
        CommandValues.Text(values, "name") is { Length: > 0 } name ? name : null,
        CommandValues.Text(values, "objective") is { Length: > 0 } objective ? objective : null,
        CommandValues.Number(values, "contextTokens"),
        CommandValues.Number(values, "concurrency"),
        CommandValues.Names(values, "nodes"));
}
