using System.Runtime.CompilerServices;
using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.Coordinator.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary><c>/api/nodes</c>.</summary>
internal static class NodeEndpoints
{
    public static void MapNodeEndpoints(this IEndpointRouteBuilder routes)
    {
        var nodes = routes.MapGroup("/api/nodes").WithTags("Nodes");
        nodes.MapGet("/", (NodeViews views) => views.All()).WithSummary("All nodes: hardware, memory, engines, state and speed.");
        nodes.MapGet("/events", Events).WithSummary("All nodes as server-sent events: the whole list, at once and after each change.");
        nodes.MapGet("/{id}", Results<Ok<NodeContract>, ProblemHttpResult> (string id, NodeViews views) =>
            views.Find(id) is { } node ? TypedResults.Ok(node) : NoNode(id, views)).WithSummary("One node.");
        nodes.MapPost("/{id}/drain", (string id, NodeRegistry registry, NodeViews views) => Drain(id, draining: true, registry, views))
            .WithSummary("Lets the node take no new shards; its deployments move to other nodes where they fit.");
        nodes.MapPost("/{id}/resume", (string id, NodeRegistry registry, NodeViews views) => Drain(id, draining: false, registry, views))
            .WithSummary("Ends a drain: the node takes shards again.");
        nodes.MapDelete("/{id}", RemoveAsync)
            .WithSummary("Takes a node out of the cluster and revokes its certificates. To come back it needs a new token.");
    }

    private static Results<Ok<NodeContract>, ProblemHttpResult> Drain(string id, bool draining, NodeRegistry registry, NodeViews views) =>
        registry.SetDraining(id, draining) is not null && views.Find(id) is { } node ? TypedResults.Ok(node) : NoNode(id, views);

    /// <summary>The certificates first: an agent that still runs could join again in between.</summary>
    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string id, Enrollments enrollments, NodeRegistry registry, NodeViews views, CancellationToken cancellationToken)
    {
        var revoked = await enrollments.RevokeAsync(id, cancellationToken);
        return registry.Remove(id) || revoked > 0 ? TypedResults.NoContent() : NoNode(id, views);
    }

    private static ServerSentEventsResult<NodeContract[]> Events(NodeViews views, IHostApplicationLifetime lifetime, CancellationToken cancellationToken) =>
        TypedResults.ServerSentEvents(EventsAsync(views, lifetime, cancellationToken), eventType: "nodes");

    private static async IAsyncEnumerable<NodeContract[]> EventsAsync(
        NodeViews views, IHostApplicationLifetime lifetime, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        await foreach (var nodes in views.WatchAsync(end.Token).EndingWith(end.Token))
        {
            yield return nodes;
        }
    }

    private static ProblemHttpResult NoNode(string id, NodeViews views) =>
        Problems.NotFound("node", id, views.All().Select(node => node.Id));
}
