using System.Runtime.CompilerServices;
using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.Coordinator.Nodes.Adding.Runs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Nodes.Adding.Api;

/// <summary>Adding and removing machines over HTTP.</summary>
internal static class AddingEndpoints
{
    private const string Runs = "/api/node-runs";

    public static void MapAddingEndpoints(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/nodes", Add).WithTags("Nodes")
            .WithSummary("Makes a machine a node over SSH, or upgrades it. Answers at once with a run, whose events tell the progress.");
        var runs = routes.MapGroup(Runs).WithTags("Nodes");
        runs.MapPost("/removals", Remove).WithSummary("Undoes an installation over SSH: service, files and membership.");
        runs.MapGet("/", (NodeRunRegistry registry) => registry.All).WithSummary("Installations and removals since the start, newest first.");
        runs.MapGet("/{id}", Results<Ok<NodeRun>, ProblemHttpResult> (string id, NodeRunRegistry registry) =>
            registry.Find(id) is { } run ? TypedResults.Ok(run) : NoRun(id, registry)).WithSummary("One run.");
        runs.MapGet("/{id}/events", Results<ServerSentEventsResult<NodeRun>, ProblemHttpResult> (string id, NodeRunRegistry registry, IHostApplicationLifetime lifetime, CancellationToken cancellationToken) =>
            registry.Find(id) is null ? NoRun(id, registry) : TypedResults.ServerSentEvents(EventsAsync(id, registry, lifetime, cancellationToken), eventType: "run"))
            .WithSummary("The run as server-sent events: at once and after each change, until it has ended.");
    }

    private static Results<Accepted<NodeRun>, ProblemHttpResult, ValidationProblem> Add(NodeAccessContract body, NodeRunWorker worker) => Begin(body, () => worker.Add(body.ToAdd()));

    private static Results<Accepted<NodeRun>, ProblemHttpResult, ValidationProblem> Remove(NodeAccessContract body, NodeRunWorker worker) => Begin(body, () => worker.Remove(body.ToRemove()));

    private static Results<Accepted<NodeRun>, ProblemHttpResult, ValidationProblem> Begin(NodeAccessContract body, Func<NodeRun?> begin)
    {
        if (body.Problems() is { Count: > 0 } problems)
        {
            return TypedResults.ValidationProblem(problems);
        }

        return begin() is { } run
            ? TypedResults.Accepted($"{Runs}/{run.Id}", run)
            : Problems.Conflict($"Another run works on the machine of {body.Target} now. Wait until it has ended: GET {Runs}.");
    }

    private static async IAsyncEnumerable<NodeRun> EventsAsync(
        string id, NodeRunRegistry registry, IHostApplicationLifetime lifetime, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var changes = registry.Subscribe();
        NodeRun? before = null;
        await foreach (var all in changes.AllAsync(end.Token).EndingWith(end.Token))
        {
            if (all.GetValueOrDefault(id) is { } run && run != before)
            {
                before = run;
                yield return run;
                if (run.State != NodeRunState.Running)
                {
                    yield break;
                }
            }
        }
    }

    private static ProblemHttpResult NoRun(string id, NodeRunRegistry registry) => Problems.NotFound("node-run", id, registry.All.Select(run => run.Id));
}
