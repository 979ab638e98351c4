using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin;

/// <summary>Connects stages of one process without a network.</summary>
internal sealed class InProcessConnector(StageDirectory directory) : IStageConnector
{
    public async Task<IStageLink> ConnectAsync(ShardSpec spec, TimeSpan timeout, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (directory.Find(spec.DeploymentId, spec.Generation, StageRing.Next(spec)) is { } next)
            {
                next.Connected();
                return new Link(next);
            }

            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private sealed class Link(IStageEndpoint next) : IStageLink
    {
        private readonly TaskCompletionSource _completion = new();

        public Task Completion => _completion.Task;

        public ValueTask SendAsync(StageWork work, CancellationToken cancellationToken) => next.AcceptAsync(work, cancellationToken);

        public ValueTask DisposeAsync()
        {
            _completion.TrySetCanceled();
            next.Disconnected("it closed the link");
            return ValueTask.CompletedTask;
        }
    }
}
