using System.Runtime.CompilerServices;
using ClusterLlm.Coordinator.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary><c>/api/deployments</c>.</summary>
internal static class DeploymentEndpoints
{
    public static void MapDeploymentEndpoints(this IEndpointRouteBuilder routes)
    {
        var deployments = routes.MapGroup("/api/deployments").WithTags("Deployments");
        deployments.MapPost("/", DeployAsync).DescribeBody<DeploymentRequestContract>().Produces<DeploymentContract>(202)
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(413).ProducesProblem(422)
            .WithSummary("Launches a model: planned at once, started in the background.");
        deployments.MapGet("/", (DeploymentViews views) => views.All()).WithSummary("All deployments, oldest first.");
        deployments.MapGet("/{id}", Results<Ok<DeploymentContract>, ProblemHttpResult> (string id, DeploymentViews views) =>
            views.Find(id) is { } found ? TypedResults.Ok(found) : NoDeployment(id, views)).WithSummary("One deployment, by id or name.");
        deployments.MapGet("/{id}/events", Events)
            .WithSummary("A deployment as server-sent events: its whole state, at once and after each change, until it has stopped.");
        deployments.MapDelete("/{id}", StopAsync).Produces<DeploymentContract>(202).Produces(204).ProducesProblem(404)
            .WithSummary("Stops a deployment (202); one that has stopped is forgotten (204).");
        deployments.MapPost("/{id}/restart", RestartAsync).Produces<DeploymentContract>(202).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Plans and starts a deployment anew.");
    }

    private static async Task<IResult> DeployAsync(
        HttpRequest request, DeploymentCommands commands, DeploymentViews views, CancellationToken cancellationToken)
    {
        var (spec, problem) = await ReadAsync(request, cancellationToken);
        return spec is null ? problem! : Answer(await commands.DeployAsync(spec, cancellationToken), views);
    }

    private static async Task<IResult> StopAsync(
        string id, DeploymentCommands commands, DeploymentViews views, CancellationToken cancellationToken)
    {
        if (views.Find(id) is not { } found)
        {
            return NoDeployment(id, views);
        }

        return await commands.StopAsync(found.Id, cancellationToken) is { } stopping
            ? TypedResults.Accepted($"/api/deployments/{stopping.Id}", views.View(stopping))
            : TypedResults.NoContent();
    }

    private static async Task<IResult> RestartAsync(
        string id, DeploymentCommands commands, DeploymentViews views, CancellationToken cancellationToken) =>
        views.Find(id) is { } found && await commands.RestartAsync(found.Id, cancellationToken) is { } result
            ? Answer(result, views)
            : NoDeployment(id, views);

    private static IResult Answer(DeployResult result, DeploymentViews views) => result switch
    {
        DeployResult.Accepted accepted => TypedResults.Accepted($"/api/deployments/{accepted.Deployment.Id}", views.View(accepted.Deployment)),
        DeployResult.Conflict conflict => Problems.Conflict(conflict.Message),
        DeployResult.NotPlanned refused => DeploymentProblems.NotPlanned(refused.Result),
        _ => throw new InvalidOperationException($"Unknown result {result.GetType().Name}."),
    };

    private static Results<ServerSentEventsResult<DeploymentContract>, ProblemHttpResult> Events(
        string id, DeploymentViews views, IHostApplicationLifetime lifetime, CancellationToken cancellationToken) =>
        views.Find(id) is { } found
            ? TypedResults.ServerSentEvents(EventsAsync(found.Id, views, lifetime, cancellationToken), eventType: "deployment")
            : NoDeployment(id, views);

    private static async IAsyncEnumerable<DeploymentContract> EventsAsync(
        string id, DeploymentViews views, IHostApplicationLifetime lifetime, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        await foreach (var state in views.WatchAsync(id, end.Token).EndingWith(end.Token))
        {
            yield return state;
        }
    }

    private static async Task<(DeploymentSpec? Spec, IResult? Problem)> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (await RequestBody.ReadAsync(request, cancellationToken) is not { } body)
        {
            return (null, RequestBody.TooLarge());
        }

        var (spec, errors) = DeploymentRequestReader.Read(body);
        return (spec, spec is null ? TypedResults.ValidationProblem(errors, detail: string.Join(' ', errors.Values.SelectMany(each => each))) : null);
    }

    private static ProblemHttpResult NoDeployment(string id, DeploymentViews views) =>
        Problems.NotFound("deployment", id, views.All().SelectMany(deployment => new[] { deployment.Id, deployment.Name }));
}
