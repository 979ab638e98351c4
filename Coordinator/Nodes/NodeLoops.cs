using ClusterLlm.Coordinator.Hosting;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>Runs one conversation with each agent for as long as that agent's process belongs to the cluster, and starts it again after failures.</summary>
internal sealed partial class NodeLoops(
    NodeRegistry registry, NodeChannels channels, IOptions<NodesOptions> options, TimeProvider time, ILogger<NodeLoops> logger)
{
    /// <summary>Runs until cancelled. <paramref name="conversation"/> returns when it is done with an agent for good, and throws when it should be had again.</summary>
    /// <param name="ended">Called whenever a conversation broke off, before the next try.</param>
    public async Task RunAsync(
        string topic, Func<NodeSnapshot, CallInvoker, CancellationToken, Task> conversation, Action<NodeSnapshot> ended, CancellationToken cancellationToken)
    {
        var running = new Dictionary<string, Conversation>(StringComparer.Ordinal);
        using var subscription = registry.Subscribe();
        try
        {
            await foreach (var nodes in subscription.AllAsync(cancellationToken))
            {
                foreach (var gone in running.Values.Where(c => nodes.GetValueOrDefault(c.Node.NodeId)?.LinkKey != c.Node.LinkKey).ToArray())
                {
                    running.Remove(gone.Node.NodeId);
                    await gone.EndAsync();
                }

                foreach (var node in nodes.Values.Where(node => !running.ContainsKey(node.NodeId)))
                {
                    var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                    running.Add(node.NodeId, new Conversation(node, end, RepeatAsync(topic, node, conversation, ended, end.Token)));
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        finally
        {
            foreach (var left in running.Values)
            {
                await left.EndAsync();
            }
        }
    }

    private async Task RepeatAsync(
        string topic,
        NodeSnapshot node,
        Func<NodeSnapshot, CallInvoker, CancellationToken, Task> conversation,
        Action<NodeSnapshot> ended,
        CancellationToken cancellationToken)
    {
        for (var failures = 1; !cancellationToken.IsCancellationRequested; failures++)
        {
            var begun = time.GetUtcNow();
            var invoker = channels.Find(node.NodeId);
            var unreachable = false;
            try
            {
                if (invoker is not null)
                {
                    await conversation(node, invoker, cancellationToken);
                    return;
                }
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever an agent sends or fails to send must not end the care for it.
                unreachable = e is RpcException { StatusCode: StatusCode.Unavailable };
                LogBroken(topic, node.NodeId, e is RpcException rpc ? rpc.Status.Detail : e.Message);
            }

            ended(node);
            if (invoker is not null && unreachable)
            {
                channels.ReportUnreachable(node.NodeId, invoker);
            }

            // A conversation that lasted was no failure to connect.
            failures = time.GetUtcNow() - begun > options.Value.ReconnectLongest ? 1 : failures;
            var delay = Backoff.Delay(failures, options.Value.ReconnectFirst, options.Value.ReconnectLongest, Random.Shared.NextDouble());
            await Task.Delay(delay, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The {Topic} stream of node {NodeId} broke off: {Reason}")]
    private partial void LogBroken(string topic, string nodeId, string reason);

    private sealed record Conversation(NodeSnapshot Node, CancellationTokenSource End, Task Task)
    {
        public async Task EndAsync()
        {
            await End.CancelAsync();
            await Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            End.Dispose();
        }
    }
}
