using Grpc.Core;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>Ends streams when the agent ends: otherwise an open stream would hold the server until its time limit.</summary>
internal sealed class CallLifetime(IHostApplicationLifetime lifetime)
{
    /// <summary>Cancelled by the caller or by the agent's end; to be disposed with the call.</summary>
    public CancellationTokenSource Link(ServerCallContext context) =>
        CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);

    public bool IsEnding => lifetime.ApplicationStopping.IsCancellationRequested;
}
