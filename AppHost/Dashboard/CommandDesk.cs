using System.Collections.Immutable;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Standalone;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>Runs what the dashboard's buttons ask for: commands on the cluster, and start and stop of single processes.</summary>
/// <param name="processes">Of this host.</param>
internal sealed class CommandDesk(ResourceFeed feed, CommandRunner runner, ClusterWatcher cluster, Func<SupervisedProcesses> processes)
{
    /// <summary>The command if it has arguments to ask for, else null.</summary>
    public static CommandDescription? Asks(string command) => ClusterCommands.All.FirstOrDefault(known => known.Name == command && known.Arguments.Length > 0);

    public Task<ImmutableArray<CommandArgument>> ArgumentsAsync(CommandDescription command, CancellationToken cancellationToken) =>
        runner.ArgumentsAsync(command, cancellationToken);

    public Task<ImmutableSortedDictionary<string, string>> CheckAsync(
        CommandDescription command, IReadOnlyDictionary<string, string?> values, CancellationToken cancellationToken) =>
        runner.CheckAsync(command, values, cancellationToken);

    /// <summary>Null when the row has no such command.</summary>
    public async Task<CommandOutcome?> RunAsync(
        string command, string row, IReadOnlyDictionary<string, string?> values, CancellationToken cancellationToken)
    {
        var process = feed.ProcessOf(row);
        if (process is not null && await ChangeAsync(process, command, cancellationToken).ConfigureAwait(false) is { } done)
        {
            return new(Success: true, done);
        }

        var known = ClusterCommands.All.FirstOrDefault(each => each.Name == command);
        if (known is null || (process ?? feed.Live(row)?.Id) is not { } target)
        {
            return null;
        }

        var outcome = await runner.RunAsync(known, target, values, cancellationToken).ConfigureAwait(false);
        cluster.Refresh();
        return outcome;
    }

    private async Task<string?> ChangeAsync(string process, string command, CancellationToken cancellationToken)
    {
        switch (command)
        {
            case ProcessCommands.Start:
                await processes().StartAsync(process, cancellationToken).ConfigureAwait(false);
                return $"{process} starts.";
            case ProcessCommands.Stop:
                await processes().StopAsync(process, cancellationToken).ConfigureAwait(false);
                return $"{process} has ended.";
            case ProcessCommands.Restart:
                await processes().RestartAsync(process, cancellationToken).ConfigureAwait(false);
                return $"{process} starts again.";
            default:
                return null;
        }
    }
}
