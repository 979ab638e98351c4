using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Commands;

/// <summary>What a command is run on.</summary>
internal enum CommandTarget
{
    Coordinator,
    Node,
    Deployment,
}

/// <summary>A command as both hosts offer it. Running it is <see cref="CommandRunner"/>'s.</summary>
/// <param name="Name">Stable, unique over all targets.</param>
/// <param name="Target">Rows of the dashboard that have it.</param>
/// <param name="DisplayName">As its button says.</param>
/// <param name="Description">One sentence.</param>
internal sealed record CommandDescription(string Name, CommandTarget Target, string DisplayName, string Description)
{
    public ImmutableArray<CommandArgument> Arguments { get; init; } = [];

    /// <summary>A name of the Fluent UI icon set, which the dashboard draws.</summary>
    public required string Icon { get; init; }

    /// <summary>Shown in the row itself, not only in its menu.</summary>
    public bool IsHighlighted { get; init; }

    /// <summary>What values that are right one by one must be together: the argument to blame and why, or null.</summary>
    public Func<IReadOnlyDictionary<string, string?>, (string Argument, string Problem)?>? Rule { get; init; }

    /// <summary>Asked before it runs; null runs it at once.</summary>
    public string? Confirmation { get; init; }
}

internal enum ArgumentKind
{
    Text,

    /// <summary>A text that is not shown while it is typed.</summary>
    Secret,

    /// <summary>A whole number.</summary>
    Number,

    /// <summary>One of <see cref="CommandArgument.Choices"/>, or another text where that is allowed.</summary>
    Choice,
}

/// <summary>Where the choices of an argument come from.</summary>
internal enum ChoiceSource
{
    /// <summary>They are part of the description.</summary>
    Fixed,

    /// <summary>Models that nodes of the cluster have.</summary>
    Models,
}

/// <summary>One input of a command's dialog.</summary>
/// <param name="Name">As the API calls the field.</param>
/// <param name="Label">As the dialog shows it.</param>
internal sealed record CommandArgument(string Name, string Label, ArgumentKind Kind)
{
    public bool Required { get; init; }

    public string Description { get; init; } = "";

    /// <summary>Shown in an empty field.</summary>
    public string Placeholder { get; init; } = "";

    /// <summary>Already filled in; empty leaves the field empty.</summary>
    public string Default { get; init; } = "";

    public ImmutableArray<CommandChoice> Choices { get; init; } = [];

    public ChoiceSource ChoiceSource { get; init; }

    /// <summary>Whether a text that is not among the choices is taken too.</summary>
    public bool AllowsOther { get; init; }

    /// <summary>Bounds of a number, both included.</summary>
    public int Least { get; init; } = 1;

    public int Most { get; init; } = int.MaxValue;

    public int MostCharacters { get; init; } = 4096;
}

/// <param name="Value">What is sent.</param>
/// <param name="Text">What is shown.</param>
internal sealed record CommandChoice(string Value, string Text);
