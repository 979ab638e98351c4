using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Threading.Channels;
using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Dashboard.Contract;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>Asks the person at the dashboard for a command's arguments: sends the dialog, takes the answer, shows errors under the fields.</summary>
internal sealed class CommandDialogs
{
    private readonly Lock _gate = new();
    private readonly List<Channel<WatchInteractionsResponseUpdate>> _dashboards = [];
    private readonly ConcurrentDictionary<int, Channel<WatchInteractionsRequestUpdate>> _open = [];
    private int _lastId;

    /// <summary>What one dashboard is sent, until it goes.</summary>
    public ChannelReader<WatchInteractionsResponseUpdate> Connect()
    {
        // Unbounded: a handful of dialogs that people opened by hand.
        var dashboard = Channel.CreateUnbounded<WatchInteractionsResponseUpdate>();
        lock (_gate)
        {
            _dashboards.Add(dashboard);
        }

        return dashboard.Reader;
    }

    public void Disconnect(ChannelReader<WatchInteractionsResponseUpdate> dashboard)
    {
        lock (_gate)
        {
            _dashboards.RemoveAll(other => other.Reader == dashboard);
        }
    }

    /// <summary>An answer from a dashboard; one to a dialog that is closed already is dropped.</summary>
    public void Answer(WatchInteractionsRequestUpdate answer)
    {
        if (_open.TryGetValue(answer.InteractionId, out var dialog))
        {
            dialog.Writer.TryWrite(answer);
        }
    }

    /// <param name="arguments">With their choices.</param>
    /// <param name="check">All that is wrong with the values, by argument.</param>
    /// <returns>Values without errors; null when the person closed the dialog.</returns>
    public async Task<IReadOnlyDictionary<string, string?>?> AskAsync(
        CommandDescription command,
        ImmutableArray<CommandArgument> arguments,
        Func<IReadOnlyDictionary<string, string?>, CancellationToken, Task<ImmutableSortedDictionary<string, string>>> check,
        CancellationToken cancellationToken)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answers = Channel.CreateUnbounded<WatchInteractionsRequestUpdate>();
        _open[id] = answers;
        try
        {
            var values = arguments.ToDictionary(argument => argument.Name, argument => (string?)argument.Default);
            var errors = ImmutableSortedDictionary<string, string>.Empty;
            while (true)
            {
                Send(Dialog(id, command, arguments, values, errors));
                if (await ReadAsync(answers.Reader, cancellationToken).ConfigureAwait(false) is not { } given)
                {
                    return null;
                }

                values = given;
                errors = await check(values, cancellationToken).ConfigureAwait(false);
                if (errors.IsEmpty)
                {
                    return values;
                }
            }
        }
        finally
        {
            _open.TryRemove(id, out _);
            Send(new() { InteractionId = id, Complete = new() });
        }
    }

    private static async Task<Dictionary<string, string?>?> ReadAsync(ChannelReader<WatchInteractionsRequestUpdate> answers, CancellationToken cancellationToken)
    {
        await foreach (var answer in answers.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (answer.KindCase == WatchInteractionsRequestUpdate.KindOneofCase.Complete)
            {
                return null;
            }

            if (answer.KindCase == WatchInteractionsRequestUpdate.KindOneofCase.InputsDialog && !answer.ResponseUpdate)
            {
                return answer.InputsDialog.InputItems.ToDictionary(input => input.Name, input => (string?)input.Value);
            }
        }

        return null;
    }

    private void Send(WatchInteractionsResponseUpdate update)
    {
        lock (_gate)
        {
            _dashboards.ForEach(dashboard => dashboard.Writer.TryWrite(update));
        }
    }

    private static WatchInteractionsResponseUpdate Dialog(
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
            PrimaryButtonText = "OK",
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
            MaxLength = argument.Kind == ArgumentKind.Text ? argument.MostCharacters : 0,
            InputType = argument.Kind switch
            {
                ArgumentKind.Number => InputType.Number,
                ArgumentKind.Choice => InputType.Choice,
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
