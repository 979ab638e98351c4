using ClusterLlm.Coordinator.Nodes.Adding.Runs;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>Waits until a node that was started on a machine is in the cluster, and says why it is not.</summary>
internal sealed class JoinWait(NodeRegistry nodes, TimeProvider time, IOptions<AddingOptions> options)
{
    public DateTimeOffset Now() => time.GetUtcNow();

    public bool IsUsable(string nodeId) => nodes.Current.TryGetValue(nodeId, out var node) && node.IsUsable;

    /// <param name="since">The node must have joined after this; <see langword="null"/> for one that was not started anew.</param>
    /// <exception cref="StepFailedException">It did not join in time.</exception>
    public async Task<(bool, string)> WaitAsync(ITarget target, string nodeId, InstalledService installed, DateTimeOffset? since, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Value.JoinTimeout);
        using var changes = nodes.Subscribe();
        try
        {
            await foreach (var all in changes.AllAsync(limit.Token))
            {
                if (all.TryGetValue(nodeId, out var node) && node.IsUsable && (since is null || node.JoinedAt >= since))
                {
                    return (true, $"{nodeId} is {(node.Draining ? "draining" : "ready")}");
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
        }

        throw new StepFailedException(await ExplainAsync(target, nodeId, installed, cancellationToken), null);
    }

    /// <returns><see langword="null"/> where there is nothing to ask.</returns>
    public static async Task<ServiceStatus?> StatusAsync(ITarget target, InstalledService installed, CancellationToken cancellationToken)
    {
        if (ServiceStatus.Command(installed.Service, installed.Root) is not { } command)
        {
            return null;
        }

        var answer = await target.RunAsync(command, null, null, cancellationToken);
        return ServiceStatus.Read(installed.Service, answer.ExitCode, answer.Output);
    }

    private async Task<string> ExplainAsync(ITarget target, string nodeId, InstalledService installed, CancellationToken cancellationToken)
    {
        var limit = options.Value.JoinTimeout.TotalSeconds;
        if (nodes.Current.TryGetValue(nodeId, out var node))
        {
            return $"{nodeId} has joined, but this Coordinator could not reach it within {limit:N0} s at {string.Join(", ", node.Facts.Addresses.Select(address => address.Url))}: {node.StateReason ?? node.State.ToString()}. A firewall on the machine may be in the way.";
        }

        var status = await StatusAsync(target, installed, cancellationToken);
        var log = (await target.RunAsync(NodeScript.LogTail(installed.Root), null, null, cancellationToken)).Output.Trim();
        return $"{nodeId} was started but did not join within {limit:N0} s"
            + (status is null ? "." : $": {status.Text}.")
            + (log.Length == 0 ? $" Its log {installed.Root}/logs/agent.log is empty." : $" The end of its log: {log.ReplaceLineEndings(" / ")}");
    }
}
