using ClusterLlm.NodeAgent.ModelStore;
using ClusterLlm.NodeAgent.Settings;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>Which models this node can load.</summary>
internal sealed class ModelService(ModelCatalog catalog, ModelMapping mapping, NodeIdentity identity) : Proto.ModelService.ModelServiceBase
{
    public override Task<Proto.ModelInventory> ListModels(Proto.ListModelsRequest request, ServerCallContext context)
    {
        var inventory = catalog.Scan(context.CancellationToken);
        return Task.FromResult(new Proto.ModelInventory
        {
            NodeId = identity.Id,
            Models = { inventory.Models.Select(mapping.ToProto) },
            Problems = { inventory.Problems.Select(problem => new Proto.ModelProblem { Path = problem.Path, Message = problem.Message }) },
        });
    }

    public override Task<Proto.ModelDescription> InspectModel(Proto.InspectModelRequest request, ServerCallContext context) =>
        request.Model.Length == 0
            ? throw new BadRequestException("model is empty: give a model id of this node's inventory, or a folder.")
            : Task.FromResult(mapping.ToProto(catalog.Open(request.Model)));
}
