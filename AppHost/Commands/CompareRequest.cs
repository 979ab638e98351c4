using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;

namespace ClusterLlm.AppHost.Commands;

/// <summary>Body of a comparison request; what is null is left to the Coordinator.</summary>
/// <param name="Concurrency">Numbers, or a text that is none: the Coordinator says then what it takes.</param>
/// <param name="Rounds">Least ones.</param>
/// <param name="MinutesLimit">No round begins after it.</param>
internal sealed record CompareRequest(
    string Model,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableArray<string>? Nodes,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableArray<CompareWorkload>? Workloads,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableArray<object>? Concurrency,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? SmallerModel,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Rounds,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? MinutesLimit)
{
    /// <param name="values">Checked values of the compare command.</param>
    public static CompareRequest From(IReadOnlyDictionary<string, string?> values) => new(
        CommandValues.Text(values, "model"),
        CommandValues.Names(values, "nodes"),
        CommandValues.Names(values, "workloads") is { } lengths ? [.. lengths.Select(Workload).OfType<CompareWorkload>()] : null,
        CommandValues.Names(values, "concurrency") is { } counts ? [.. counts.Select(Number)] : null,
        CommandValues.Text(values, "smallerModel") is { Length: > 0 } smaller ? smaller : null,
        CommandValues.Number(values, "rounds"),
        CommandValues.Number(values, "minutesLimit"));

    /// <summary>For <see cref="CommandDescription.Rule"/>.</summary>
    public static (string Argument, string Problem)? Rule(IReadOnlyDictionary<string, string?> values) =>
        (CommandValues.Names(values, "workloads") ?? []).FirstOrDefault(text => Workload(text) is null) is { } wrong
            ? ("workloads", $"Workloads has \"{wrong}\"; give prompt+output tokens, for example 128+64.")
            : null;

    private static CompareWorkload? Workload(string text) =>
        text.Split('+') is [var prompt, var output] && Number(prompt) is int promptTokens && Number(output) is int outputTokens
            ? new CompareWorkload(promptTokens, outputTokens)
            : null;

    private static object Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : text;
}

/// <summary>Lengths of a request.</summary>
internal sealed record CompareWorkload(int PromptTokens, int OutputTokens);
