using System.Collections.Immutable;
using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Dashboard.Contract;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>A command's arguments as the dialog that the dashboard draws. Pure.</summary>
internal static class DialogMapping
{
    /// <param name="values">As the person typed them, or the defaults.</param>
    /// <param name="errors">Shown under the fields.</param>
    public static WatchInteractionsResponseUpdate Dialog(
        int id,
        CommandDescription command,
        ImmutableArray<CommandArgument> arguments,
        Dictionary<string, string?> values,
        ImmutableSortedDictionary<string, string> errors)
    {
        var inputs = new InteractionInputsDialog();
        inputs.InputItems.AddRange(arguments.Select(argument => Input(argument, values.GetValueOrDefault(argument.Name) ?? "", errors.GetValueOrDefault(argument.Name))));
        return new()
        {
            InteractionId = id,
            Title = command.DisplayName,
            Message = command.Description,
            // As Aspire's own host names it.
            PrimaryButtonText = command.DisplayName,
            SecondaryButtonText = "Cancel",
            ShowSecondaryButton = true,
            ShowDismiss = true,
            InputsDialog = inputs,
        };
    }

    private static InteractionInput Input(CommandArgument argument, string value, string? error)
    {
        var input = new InteractionInput
        {
            Name = argument.Name,
            Label = argument.Label,
            Placeholder = argument.Placeholder,
            Description = argument.Description,
            Required = argument.Required,
            Value = value,
            AllowCustomChoice = argument.AllowsOther,
            MaxLength = argument.Kind == ArgumentKind.Choice ? 0 : argument.MostCharacters,
            // Numbers too are typed into a text field: the dashboard (13.5) shows no message under its number field, only a red frame.
            InputType = argument.Kind switch
            {
                ArgumentKind.Choice => InputType.Choice,
                ArgumentKind.Secret => InputType.SecretText,
                _ => InputType.Text,
            },
        };
        foreach (var choice in argument.Choices)
        {
            input.Options[choice.Value] = choice.Text;
        }

        if (error is not null)
        {
            input.ValidationErrors.Add(error);
        }

        return input;
    }
}
