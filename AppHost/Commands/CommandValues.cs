using System.Collections.Immutable;
using System.Globalization;

namespace ClusterLlm.AppHost.Commands;

/// <summary>What a person typed into a command's dialog, checked against its description. Pure.</summary>
internal static class CommandValues
{
    /// <summary>All that is wrong, by argument; empty when the command can run. What only the cluster knows (nodes, models, memory) it tells itself.</summary>
    /// <param name="values">Texts by argument; missing and blank ones are empty.</param>
    public static ImmutableSortedDictionary<string, string> Check(CommandDescription command, IReadOnlyDictionary<string, string?> values)
    {
        var errors = ImmutableSortedDictionary.CreateBuilder<string, string>();
        foreach (var argument in command.Arguments)
        {
            if (Problem(argument, Text(values, argument.Name)) is { } problem)
            {
                errors[argument.Name] = problem;
            }
        }

        foreach (var unknown in values.Keys.Where(name => command.Arguments.All(argument => argument.Name != name)))
        {
            errors[unknown] = $"There is no argument '{unknown}'; known are {string.Join(", ", command.Arguments.Select(argument => argument.Name))}.";
        }

        if (errors.Count == 0 && command.Rule?.Invoke(values) is { } broken)
        {
            errors[broken.Argument] = broken.Problem;
        }

        return errors.ToImmutable();
    }

    /// <summary>The value without surrounding blanks; empty when there is none.</summary>
    public static string Text(IReadOnlyDictionary<string, string?> values, string name) => values.GetValueOrDefault(name)?.Trim() ?? "";

    /// <summary>The number, or null when the field is empty. Only for values that were checked.</summary>
    public static int? Number(IReadOnlyDictionary<string, string?> values, string name) =>
        TryNumber(Text(values, name), out var number) ? number : null;

    /// <summary>Names separated by commas or blanks; null when there are none.</summary>
    public static ImmutableArray<string>? Names(IReadOnlyDictionary<string, string?> values, string name) =>
        Text(values, name).Split([',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 0 } names
            ? [.. names]
            : null;

    private static string? Problem(CommandArgument argument, string text)
    {
        if (text.Length == 0)
        {
            return argument.Required ? $"{argument.Label} is missing." : null;
        }

        if (text.Length > argument.MostCharacters)
        {
            return $"{argument.Label} has {text.Length} characters; at most {argument.MostCharacters} are possible.";
        }

        return argument.Kind switch
        {
            ArgumentKind.Number when !TryNumber(text, out var number) || number < argument.Least || number > argument.Most =>
                $"{argument.Label} is \"{text}\"; give a whole number from {argument.Least} to {argument.Most}.",
            ArgumentKind.Choice when !argument.AllowsOther && argument.Choices.All(choice => choice.Value != text) =>
                $"{argument.Label} is \"{text}\"; it must be one of {string.Join(", ", argument.Choices.Select(choice => choice.Value))}.",
            _ => null,
        };
    }

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
}
