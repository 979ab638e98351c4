using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Models;

/// <summary>The inventories as the API shows them. Pure.</summary>
internal static class ModelViews
{
    /// <summary>One entry per model id, with the nodes that have it; folders that can't be used as problems.</summary>
    public static ModelsContract From(IReadOnlyCollection<NodeInventory> inventories)
    {
        var models = inventories
            .SelectMany(inventory => inventory.Models.Select(model => (inventory.NodeId, Model: model)))
            .GroupBy(pair => pair.Model.ModelId, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => (Found: group.ToArray(), Joined: ModelMatching.Join(group.Key, group.ToArray(), [])))
            .ToArray();
        var problems = inventories
            .SelectMany(inventory => inventory.Problems.Select(problem => new ModelProblemContract(inventory.NodeId, problem.Path, problem.Message)))
            .Concat(models.SelectMany(model => model.Joined.Unfit.Select(unfit =>
                new ModelProblemContract(unfit.Key, model.Found.First(pair => pair.NodeId == unfit.Key).Model.Path, unfit.Value))));
        return new ModelsContract([.. models.Select(model => View(model.Found, model.Joined))], [.. problems]);
    }

    private static ModelContract View((string NodeId, ModelDescription Model)[] found, ResolvedModel joined)
    {
        var model = joined.Description;
        return new ModelContract(
            model.ModelId,
            model.Architecture,
            model.ModelType,
            (int)model.LayerCount,
            (int)model.HiddenSize,
            (int)model.VocabularySize,
            (int)model.MaxContextTokens,
            model.WeightFormat,
            (long)model.TotalBytes,
            model.Fingerprint,
            joined.Unfit.IsEmpty,
            [.. found.OrderBy(pair => pair.NodeId, StringComparer.Ordinal).Select(pair => Holder(pair.NodeId, pair.Model))]);
    }

    private static ModelHolderContract Holder(string nodeId, ModelDescription model) => new(
        nodeId,
        model.Path,
        model.Fingerprint,
        [.. model.Files.Select(file => new ModelFileContract(file.Name, (long)file.Bytes))],
        [.. model.Engines.Select(engine => new ModelEngineContract(engine.Engine, engine.Supported, engine.Reason))]);
}
