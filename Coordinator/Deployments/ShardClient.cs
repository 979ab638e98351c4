using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Protos.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>How a call to an agent about a shard went.</summary>
/// <param name="Problem">In one sentence; <see langword="null"/> when it went well.</param>
/// <param name="Transient">Trying again may help.</param>
internal readonly record struct ShardOutcome(string? Problem, bool Transient)
{
    public static ShardOutcome Done => new(null, false);
}

/// <summary>Prepares, starts and stops shards on agents.</summary>
internal sealed class ShardClient(INodeChannels channels, ShardRegistry shards, IOptions<DeploymentsOptions> options, TimeProvider time)
{
    public Task<ShardOutcome> PrepareAsync(NodeSnapshot node, ShardSpec spec, CancellationToken cancellationToken) =>
        CallAsync(node.NodeId, async (client, call) =>
        {
            var answer = await client.PrepareShardAsync(new PrepareShardRequest { Spec = spec }, call);
            return answer.Ok ? ShardOutcome.Done : Refusal(answer);
        }, cancellationToken);

    public Task<ShardOutcome> StartAsync(NodeSnapshot node, ShardSpec spec, CancellationToken cancellationToken) =>
        CallAsync(node.NodeId, async (client, call) =>
        {
            await client.StartShardAsync(new StartShardRequest { Spec = spec }, call);

            // The agent's own report may come a moment later; without this the shard would look missing until then.
            shards.ReportStarted(node.NodeId, node.InstanceId, new ShardFact(
                spec.DeploymentId, (int)spec.Generation, (int)spec.Rank, ShardStage.Loading, 0, 0, ""));
            return ShardOutcome.Done;
        }, cancellationToken);

    public Task<ShardOutcome> StopAsync(NodeSnapshot node, string deploymentId, int generation, CancellationToken cancellationToken) =>
        CallAsync(node.NodeId, async (client, call) =>
        {
            await client.StopShardAsync(new StopShardRequest { DeploymentId = deploymentId, Generation = (uint)generation }, call);
            shards.ReportStopped(node.NodeId, node.InstanceId, deploymentId, generation);
            return ShardOutcome.Done;
        }, cancellationToken);

    private async Task<ShardOutcome> CallAsync(
        string nodeId, Func<ShardService.ShardServiceClient, CallOptions, Task<ShardOutcome>> call, CancellationToken cancellationToken)
    {
        if (channels.Find(nodeId) is not { } invoker)
        {
            return new ShardOutcome("It is not connected.", Transient: true);
        }

        try
        {
            var deadline = (time.GetUtcNow() + options.Value.CallTimeout).UtcDateTime;
            return await call(new ShardService.ShardServiceClient(invoker), new CallOptions(deadline: deadline, cancellationToken: cancellationToken));
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            return new ShardOutcome($"{e.Status.Detail} ({e.StatusCode})", IsTransient(e.StatusCode));
        }
        catch (ObjectDisposedException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ShardOutcome("Its connection was closed: the node has gone or come back as another.", Transient: true);
        }
    }

    // Memory comes and goes on a machine that people work on; a wrong layer range stays wrong.
    private static ShardOutcome Refusal(PrepareShardResponse answer) => new(
        string.Join(' ', answer.Problems.Select(problem => problem.Needed > 0
            ? $"{problem.Constraint}: {problem.Message} (needs {problem.Needed}, has {problem.Available})"
            : $"{problem.Constraint}: {problem.Message}")),
        answer.Problems.Count > 0 && answer.Problems.All(problem => problem.Constraint == "memory"));

    private static bool IsTransient(StatusCode status) => status is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Aborted
        or StatusCode.Cancelled or StatusCode.ResourceExhausted or StatusCode.Internal or StatusCode.Unknown;
}
