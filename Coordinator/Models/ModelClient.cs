using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Protos.V1;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Models;

/// <summary>Asks agents for their models.</summary>
internal sealed class ModelClient(INodeChannels channels, TimeProvider time)
{
    // Headers of a hundred models on a slow disk.
    private static readonly TimeSpan ListDeadline = TimeSpan.FromSeconds(30);

    /// <summary>All model folders of <paramref name="node"/>.</summary>
    public async Task<NodeInventory> ListAsync(NodeSnapshot node, CallInvoker invoker, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var inventory = await new ModelService.ModelServiceClient(invoker)
            .ListModelsAsync(new ListModelsRequest(), deadline: (now + ListDeadline).UtcDateTime, cancellationToken: cancellationToken);
        return new NodeInventory(node.NodeId, node.InstanceId, now, [.. inventory.Models], [.. inventory.Problems]);
    }

    /// <summary>One folder on one node.</summary>
    /// <returns>The model, or why the node has none that can be used; <c>Missing</c> tells an absent folder from a broken one.</returns>
    public async Task<(ModelDescription? Model, bool Missing, string Why)> InspectAsync(string nodeId, string model, CancellationToken cancellationToken)
    {
        if (channels.Find(nodeId) is not { } invoker)
        {
            return (null, true, "It is not connected.");
        }

        try
        {
            var deadline = (time.GetUtcNow() + ListDeadline).UtcDateTime;
            var description = await new ModelService.ModelServiceClient(invoker)
                .InspectModelAsync(new InspectModelRequest { Model = model }, deadline: deadline, cancellationToken: cancellationToken);
            return (description, false, "");
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            return e.StatusCode switch
            {
                StatusCode.NotFound => (null, true, $"It does not have the files of model '{model}'."),
                StatusCode.InvalidArgument or StatusCode.FailedPrecondition => (null, false, e.Status.Detail),
                _ => (null, true, $"It could not be asked for model '{model}': {e.StatusCode}, {e.Status.Detail}"),
            };
        }
    }
}
