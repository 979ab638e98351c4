using System.Collections.Immutable;
using System.Threading.Channels;
using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Dashboard.Contract;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>Asks the person at the dashboard for a command's arguments: sends the dialog, takes the answer, shows errors under the fields.</summary>
internal sealed class CommandDialogs(TimeProvider time)
{
    /// <summary>A dialog that nobody answers is taken back. The dashboard keeps one whose page was closed, shows it to the next visitor, and disables the command's button meanwhile.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly List<Channel<WatchInteractionsResponseUpdate>> _dashboards = [];
    private readonly Dictionary<int, OpenDialog> _open = [];
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
        lock (_gate)
        {
            if (_open.TryGetValue(answer.InteractionId, out var dialog))
            {
                dialog.Answers.Writer.TryWrite(answer);
            }
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
        var (id, answers) = Open(command.Name);
        try
        {
            var values = arguments.ToDictionary(argument => argument.Name, argument => (string?)argument.Default);
            var errors = ImmutableSortedDictionary<string, string>.Empty;
            while (true)
            {
                Send(DialogMapping.Dialog(id, command, arguments, values, errors));
                if (await ReadAsync(answers.Reader, time, cancellationToken).ConfigureAwait(false) is not { } given)
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
            lock (_gate)
            {
                Close(id);
            }
        }
    }

    /// <summary>A command has one dialog: an older one was left open in a page that nobody looks at, and would come up again after this one.</summary>
    private (int Id, Channel<WatchInteractionsRequestUpdate> Answers) Open(string command)
    {
        lock (_gate)
        {
            foreach (var older in _open.Where(open => open.Value.Command == command).ToList())
            {
                Close(older.Key);
                older.Value.Answers.Writer.TryComplete();
            }

            var answers = Channel.CreateUnbounded<WatchInteractionsRequestUpdate>();
            _open[++_lastId] = new(command, answers);
            return (_lastId, answers);
        }
    }

    /// <summary>Takes a dialog back from all dashboards. Under the lock.</summary>
    private void Close(int id)
    {
        if (_open.Remove(id))
        {
            SendLocked(new() { InteractionId = id, Complete = new() });
        }
    }

    /// <returns>Null when it was closed, replaced, or not answered in time.</returns>
    private static async Task<Dictionary<string, string?>?> ReadAsync(
        ChannelReader<WatchInteractionsRequestUpdate> answers, TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await foreach (var answer in answers.ReadAllAsync(either.Token).ConfigureAwait(false))
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
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }

        return null;
    }

    private void Send(WatchInteractionsResponseUpdate update)
    {
        lock (_gate)
        {
            // Its dialog may have been replaced meanwhile.
            if (_open.ContainsKey(update.InteractionId))
            {
                SendLocked(update);
            }
        }
    }

    /// <summary>Under the lock.</summary>
    private void SendLocked(WatchInteractionsResponseUpdate update) => _dashboards.ForEach(dashboard => dashboard.Writer.TryWrite(update));

    private sealed record OpenDialog(string Command, Channel<WatchInteractionsRequestUpdate> Answers);
}
