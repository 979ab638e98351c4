using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Placement;

/// <summary>Finds what is wrong with a request before any planning: field, value and remedy.</summary>
internal static class RequestCheck
{
    public static ImmutableArray<Rejection> Check(ClusterSnapshot cluster, ModelSpec model, PlacementRequest request)
    {
        var problems = ImmutableArray.CreateBuilder<Rejection>();
        if (cluster.Nodes.IsDefaultOrEmpty)
        {
            problems.Add(new Rejection("cluster", "nodes", "The cluster has no nodes. Start an agent that joins this Coordinator."));
        }

        if (model.LayerCount < 1)
        {
            problems.Add(new Rejection(model.Id, "model", $"Model {model.Id} has {model.LayerCount} layers; at least 1 is needed."));
        }

        CheckSizes(model, request, problems);
        CheckNodes(cluster, request, problems);
        ConstraintCheck.Check(cluster, model, request, problems);
        return problems.ToImmutable();
    }

    private static void CheckSizes(ModelSpec model, PlacementRequest request, ImmutableArray<Rejection>.Builder problems)
    {
        if (request.ContextTokens < 1)
        {
            problems.Add(new Rejection(
                "contextTokens", "context", $"contextTokens is {request.ContextTokens}; give 1 to {model.MaxContextTokens}.", 1, request.ContextTokens));
        }
        else if (model.MaxContextTokens > 0 && request.ContextTokens > model.MaxContextTokens)
        {
            problems.Add(new Rejection(
                "contextTokens",
                "context",
                $"contextTokens is {request.ContextTokens}, but {model.Id} was made for at most {model.MaxContextTokens}; ask for no more than that.",
                request.ContextTokens,
                model.MaxContextTokens));
        }

        if (request.Concurrency < 1)
        {
            problems.Add(new Rejection(
                "concurrency", "concurrency", $"concurrency is {request.Concurrency}; give 1 or more.", 1, request.Concurrency));
        }
    }

    private static void CheckNodes(ClusterSnapshot cluster, PlacementRequest request, ImmutableArray<Rejection>.Builder problems)
    {
        var known = cluster.Nodes.IsDefault ? [] : cluster.Nodes.Select(node => node.NodeId).ToHashSet(StringComparer.Ordinal);
        var named = request.Nodes.IsDefault ? [] : request.Nodes;
        foreach (var unknown in named.Where(id => !known.Contains(id)).Distinct())
        {
            problems.Add(new Rejection(
                unknown, "node", $"Node {unknown} is not in the cluster; known nodes: {string.Join(", ", known.Order(StringComparer.Ordinal))}."));
        }

        foreach (var twice in named.GroupBy(id => id).Where(group => group.Count() > 1))
        {
            problems.Add(new Rejection(twice.Key, "node", $"Node {twice.Key} is named {twice.Count()} times in nodes; name it once."));
        }
    }
}
