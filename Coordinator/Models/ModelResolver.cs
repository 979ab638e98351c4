using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Models;

/// <summary>Finds out what a <c>model</c> string means on the cluster of now.</summary>
internal sealed class ModelResolver(ModelRegistry models, NodeRegistry nodes, ModelClient client)
{
    /// <summary>Ids that some node lists.</summary>
    public IEnumerable<string> KnownIds => models.Current.Values.SelectMany(inventory => inventory.Models).Select(model => model.ModelId);

    /// <summary>A model id of the inventories, or a folder that nodes can see.</summary>
    public async Task<ModelResolution> ResolveAsync(string model, CancellationToken cancellationToken)
    {
        var inventories = models.Current.Values.ToArray();
        if (!LooksLikePath(model))
        {
            return ModelMatching.FindKnown(model, inventories) is { } known
                ? new ModelResolution.Found(known)
                : BrokenFolder(model, inventories) ?? (ModelResolution)ModelMatching.Unknown(model, inventories);
        }

        return await InspectAsync(model, cancellationToken);
    }

    private static ModelResolution.Broken? BrokenFolder(string model, NodeInventory[] inventories) =>
        inventories.SelectMany(inventory => inventory.Problems.Select(problem => (inventory.NodeId, problem)))
            .Where(pair => Path.GetFileName(pair.problem.Path.TrimEnd('/', '\\')) == model)
            .Select(pair => new ModelResolution.Broken($"Node {pair.NodeId} can't read {pair.problem.Path}: {pair.problem.Message}"))
            .FirstOrDefault();

    private async Task<ModelResolution> InspectAsync(string path, CancellationToken cancellationToken)
    {
        var candidates = nodes.Current.Values.Where(node => node.IsUsable).ToArray();
        var answers = await Task.WhenAll(candidates.Select(async node => (node.NodeId, Answer: await client.InspectAsync(node.NodeId, path, cancellationToken))));
        var found = answers.Where(answer => answer.Answer.Model is not null)
            .Select(answer => (answer.NodeId, answer.Answer.Model!)).ToArray();
        if (found.Length > 0)
        {
            return new ModelResolution.Found(ModelMatching.Join(
                path, found, answers.Where(answer => answer.Answer.Model is null).Select(answer => (answer.NodeId, answer.Answer.Why))));
        }

        var broken = answers.Where(answer => !answer.Answer.Missing).Select(answer => $"Node {answer.NodeId}: {answer.Answer.Why}").ToArray();
        return broken.Length > 0
            ? new ModelResolution.Broken(string.Join(' ', broken))
            : ModelMatching.Unknown(path, [.. models.Current.Values]);
    }

    private static bool LooksLikePath(string model) => model.StartsWith('/') || model.StartsWith('.') || model.StartsWith('~') || Path.IsPathRooted(model);
}
