using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Commands;

/// <summary>How a command went.</summary>
/// <param name="Message">One or two sentences for a notification.</param>
internal sealed record CommandOutcome(bool Success, string Message)
{
    /// <summary>A result to show in full; null when the message says it all.</summary>
    public string? Markdown { get; init; }

    /// <summary>What is wrong with single arguments, by their names: the dialog shows it under the fields.</summary>
    public ImmutableSortedDictionary<string, string> FieldErrors { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
