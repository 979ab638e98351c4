using System.Collections.Immutable;
using ClusterLlm.Coordinator.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Nodes.Links;

/// <summary>The way from a node to another, as the API shows it.</summary>
/// <param name="Url">The address that is used.</param>
/// <param name="Reason">Why this one.</param>
/// <param name="Chosen">Set by hand; <see langword="null"/>: not.</param>
/// <param name="Addresses">What was measured.</param>
internal sealed record LinkContract(string From, string To, string? Url, string Reason, string? Chosen, ImmutableArray<AddressReading> Addresses);

/// <param name="Url">One of the node's addresses.</param>
internal sealed record LinkChoiceRequest(string? Url);

/// <summary><c>/api/links</c>.</summary>
internal static class LinkEndpoints
{
    public static void MapLinkEndpoints(this IEndpointRouteBuilder routes)
    {
        var links = routes.MapGroup("/api/links").WithTags("Nodes");
        links.MapGet("/", (NodeRegistry nodes, LinkRegistry registry) => Pairs(nodes).Select(pair => View(pair.From, pair.To, registry)))
            .WithSummary("How each node reaches each other one: which address, why, and what was measured.");
        links.MapPost("/{from}/{to}/measure", MeasureAsync).WithSummary("Measures all addresses of a node from another one, now.");
        links.MapPut("/{from}/{to}", ChooseAsync).WithSummary("Sets the address by hand. It counts from the next launch on.");
        links.MapDelete("/{from}/{to}", (string from, string to, NodeRegistry nodes, LinkRegistry registry, CancellationToken cancellationToken) =>
            ChooseAsync(from, to, new LinkChoiceRequest(null), nodes, registry, cancellationToken)).WithSummary("Back to the best address.");
    }

    private static async Task<Results<Ok<LinkContract>, ProblemHttpResult>> MeasureAsync(
        string from, string to, NodeRegistry nodes, LinkRegistry registry, AddressProber prober, CancellationToken cancellationToken)
    {
        if (Find(from, to, nodes, out var problem) is not var (one, other))
        {
            return problem!;
        }

        await prober.MeasureAsync(one, other, cancellationToken);
        return TypedResults.Ok(View(one, other, registry));
    }

    private static async Task<Results<Ok<LinkContract>, ProblemHttpResult>> ChooseAsync(
        string from, string to, LinkChoiceRequest body, NodeRegistry nodes, LinkRegistry registry, CancellationToken cancellationToken)
    {
        if (Find(from, to, nodes, out var problem) is not var (one, other))
        {
            return problem!;
        }

        var usable = NodeAddresses.ForOthers(other);
        if (body.Url is { } url && !usable.Contains(url))
        {
            return TypedResults.Problem(
                $"url is '{(url.Length > 200 ? url[..200] : url)}'; {to} has {(usable.IsEmpty ? "no address that others can reach" : string.Join(", ", usable))}.", statusCode: StatusCodes.Status400BadRequest, title: "No such address");
        }

        await registry.ChooseAsync(from, to, body.Url, cancellationToken);
        return TypedResults.Ok(View(one, other, registry));
    }

    private static (NodeSnapshot From, NodeSnapshot To)? Find(string from, string to, NodeRegistry nodes, out ProblemHttpResult? problem)
    {
        problem = null;
        foreach (var id in new[] { from, to })
        {
            if (!nodes.Current.ContainsKey(id))
            {
                problem = Problems.NotFound("node", id, nodes.Current.Keys);
                return null;
            }
        }

        if (from == to)
        {
            problem = TypedResults.Problem($"{from} needs no link to itself.", statusCode: StatusCodes.Status400BadRequest, title: "No link");
            return null;
        }

        return (nodes.Current[from], nodes.Current[to]);
    }

    private static IEnumerable<(NodeSnapshot From, NodeSnapshot To)> Pairs(NodeRegistry nodes) =>
        from one in nodes.Current.Values from other in nodes.Current.Values where one.NodeId != other.NodeId select (one, other);

    private static LinkContract View(NodeSnapshot from, NodeSnapshot to, LinkRegistry registry)
    {
        var link = registry.Find(from.NodeId, to.NodeId);
        if (from.Facts.MachineId == to.Facts.MachineId)
        {
            return new LinkContract(from.NodeId, to.NodeId, NodeAddresses.ForNeighbours(to, allOnOneMachine: true), "the same machine", link?.Chosen, link?.Addresses ?? []);
        }

        var decision = registry.Decide(from, to);
        return new LinkContract(from.NodeId, to.NodeId, decision.Url, decision.Reason, link?.Chosen, link?.Addresses ?? []);
    }
}
