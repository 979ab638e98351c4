using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Commands;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>Offers the cluster's commands as resource commands, with their arguments as dialog inputs.</summary>
internal sealed class CommandMapping(CommandRunner runner, ClusterWatcher watcher)
{
    /// <param name="target">Id of the node or deployment.</param>
    /// <param name="isEnabled">Whether it makes sense now.</param>
    public void Add<T>(IResourceBuilder<T> resource, CommandDescription command, string target, Func<bool> isEnabled)
        where T : IResource =>
        resource.WithCommand(command.Name, command.DisplayName, context => RunAsync(command, target, context), new CommandOptions
        {
            Description = command.Description,
            IconName = command.Icon,
            IsHighlighted = command.IsHighlighted,
            ConfirmationMessage = command.Confirmation,
            Arguments = [.. command.Arguments.Select(argument => Input(command, argument))],
            ValidateArguments = context => ValidateAsync(command, context),
            UpdateState = _ => isEnabled() ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
        });

    private async Task<ExecuteCommandResult> RunAsync(CommandDescription command, string target, ExecuteCommandContext context)
    {
        var outcome = await runner.RunAsync(command, target, Values(context.Arguments), context.CancellationToken).ConfigureAwait(false);
        watcher.Refresh();
        return new ExecuteCommandResult
        {
            Success = outcome.Success,
            Message = outcome.Message,
            Data = outcome.Markdown is { } markdown
                ? new CommandResultData { Value = markdown, Format = CommandResultFormat.Markdown, DisplayImmediately = true }
                : null,
        };
    }

    private async Task ValidateAsync(CommandDescription command, InputsDialogValidationContext context)
    {
        foreach (var (argument, problem) in await runner.CheckAsync(command, Values(context.Inputs), context.CancellationToken).ConfigureAwait(false))
        {
            context.AddValidationError(argument, problem);
        }
    }

    private InteractionInput Input(CommandDescription command, CommandArgument argument) => new()
    {
        Name = argument.Name,
        Label = argument.Label,
        Description = argument.Description.Length > 0 ? argument.Description : null,
        // Numbers are typed as text: the dashboard (13.5) shows no message under its number field.
        InputType = argument.Kind switch
        {
            ArgumentKind.Choice => InputType.Choice,
            ArgumentKind.Secret => InputType.SecretText,
            _ => InputType.Text,
        },
        Required = argument.Required,
        Placeholder = argument.Placeholder,
        Value = argument.Default,
        MaxLength = argument.Kind == ArgumentKind.Choice ? null : argument.MostCharacters,
        AllowCustomChoice = argument.AllowsOther,
        Options = argument.Kind == ArgumentKind.Choice ? Options(argument) : null,
        DynamicLoading = argument.ChoiceSource == ChoiceSource.Fixed ? null : new InputLoadOptions
        {
            AlwaysLoadOnStart = true,
            LoadCallback = context => LoadAsync(command, context),
        },
    };

    private async Task LoadAsync(CommandDescription command, LoadInputContext context)
    {
        var arguments = await runner.ArgumentsAsync(command, context.CancellationToken).ConfigureAwait(false);
        var argument = arguments.First(each => each.Name == context.Input.Name);
        context.Input.Options = Options(argument);
        if (string.IsNullOrEmpty(context.Input.Value))
        {
            context.Input.Value = argument.Default;
        }
    }

    private static List<KeyValuePair<string, string>> Options(CommandArgument argument) =>
        [.. argument.Choices.Select(choice => KeyValuePair.Create(choice.Value, choice.Text))];

    private static Dictionary<string, string?> Values(InteractionInputCollection inputs) => inputs.ToDictionary(input => input.Name, input => input.Value);
}
