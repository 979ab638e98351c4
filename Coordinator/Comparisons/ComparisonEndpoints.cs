using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using ClusterLlm.Coordinator.Comparisons.Reports;
using ClusterLlm.Coordinator.Comparisons.Running;
using ClusterLlm.Coordinator.Comparisons.Sharing;
using ClusterLlm.Coordinator.Comparisons.Storage;
using ClusterLlm.Coordinator.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Comparisons;

/// <summary><c>/api/comparisons</c> and <c>/api/measurements</c>.</summary>
internal static class ComparisonEndpoints
{
    private const string JsonLines = "application/jsonl";

    public static void MapComparisonEndpoints(this IEndpointRouteBuilder routes)
    {
        var comparisons = routes.MapGroup("/api/comparisons").WithTags("Comparisons");
        comparisons.MapPost("/", StartAsync).DescribeBody<ComparisonRequestContract>().Produces<ComparisonListItem>(202).ProducesProblem(400).ProducesProblem(413)
            .WithSummary("Compares single nodes and clusters for a model. Runs in the background, one comparison at a time.");
        comparisons.MapGet("/", (ComparisonRegistry registry) => registry.All.Select(ComparisonListItem.From)).WithSummary("All comparisons, oldest first.");
        comparisons.MapGet("/{id}", (string id, ComparisonRegistry registry) => With(id, registry, record => TypedResults.Json(record, ComparisonStore.Json)))
            .Produces<ComparisonRecord>().ProducesProblem(404).WithSummary("All of one comparison: machines, candidates, samples, predictions, verdict.");
        comparisons.MapGet("/{id}/events", Events).WithSummary("Its progress as server-sent events, at once and after each step, until it is over.");
        comparisons.MapGet("/{id}/report", Report).ProducesProblem(404)
            .WithSummary("The report: ?format=html (default), markdown, json, or jsonl (one line per candidate and cell, for sharing; ?source= names who measured).");
        comparisons.MapDelete("/{id}", EndAsync).Produces<ComparisonListItem>(202).Produces(204).ProducesProblem(404)
            .WithSummary("Ends a comparison (202); one that is over is forgotten (204).");
        var measurements = routes.MapGroup("/api/measurements").WithTags("Comparisons");
        measurements.MapPost("/", ImportAsync).Accepts<string>(JsonLines, "text/plain").Produces<ImportOutcome>().ProducesProblem(413)
            .WithSummary("Takes measurements of others, as JSON Lines; they feed the planner's constants, with their source.");
        measurements.MapGet("/", async (MeasurementStore store, CancellationToken cancellationToken) => await store.AllAsync(cancellationToken)).WithSummary("Measurements that were imported.");
    }

    private static async Task<IResult> StartAsync(HttpRequest request, ComparisonWorker worker, CancellationToken cancellationToken)
    {
        if (await RequestBody.ReadAsync(request, cancellationToken) is not { } body)
        {
            return RequestBody.TooLarge();
        }

        var (spec, errors) = ComparisonRequestReader.Read(body);
        if (spec is null)
        {
            return TypedResults.ValidationProblem(errors, detail: string.Join(' ', errors.Values.SelectMany(each => each)));
        }

        var record = await worker.QueueAsync(spec, cancellationToken);
        return TypedResults.Accepted($"/api/comparisons/{record.Id}", ComparisonListItem.From(record));
    }

    private static async Task<IResult> EndAsync(string id, ComparisonRegistry registry, ComparisonWorker worker, CancellationToken cancellationToken)
    {
        if (registry.Find(id) is not { } record)
        {
            return Unknown(id, registry);
        }

        return await worker.EndAsync(record, cancellationToken) is { } ending
            ? TypedResults.Accepted($"/api/comparisons/{id}", ComparisonListItem.From(ending))
            : TypedResults.NoContent();
    }

    private static IResult Report(string id, string? format, string? source, ComparisonRegistry registry) => With(id, registry, IResult (record) => format switch
    {
        null or "html" => TypedResults.Content(HtmlReport.Of(record), "text/html; charset=utf-8"),
        "markdown" or "md" => TypedResults.Content(MarkdownReport.Of(record), "text/markdown; charset=utf-8"),
        "json" => TypedResults.Json(record, ComparisonStore.Json),
        "jsonl" => TypedResults.Content(Lines(record, source ?? "unnamed"), $"{JsonLines}; charset=utf-8"),
        _ => TypedResults.Problem($"format is '{format}'; it must be html, markdown, json or jsonl.", statusCode: StatusCodes.Status400BadRequest),
    });

    private static string Lines(ComparisonRecord record, string source) =>
        string.Concat(SharedMeasurement.Of(record, source).Select(row => JsonSerializer.Serialize(row, ComparisonStore.Json) + "\n"));

    private static async Task<IResult> ImportAsync(HttpRequest request, MeasurementStore store, CancellationToken cancellationToken) =>
        await RequestBody.ReadAsync(request, cancellationToken) is { } body
            ? TypedResults.Json(await store.ImportAsync(Encoding.UTF8.GetString(body.Span), cancellationToken), ComparisonStore.Json)
            : RequestBody.TooLarge();

    private static IResult Events(string id, ComparisonRegistry registry, IHostApplicationLifetime lifetime, CancellationToken cancellationToken) =>
        With(id, registry, _ => TypedResults.ServerSentEvents(EventsAsync(id, registry, lifetime, cancellationToken), eventType: "comparison"));

    private static async IAsyncEnumerable<ComparisonEvent> EventsAsync(
        string id, ComparisonRegistry registry, IHostApplicationLifetime lifetime, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        await foreach (var record in registry.WatchAsync(id, end.Token).EndingWith(end.Token))
        {
            yield return ComparisonEvent.From(record);
        }
    }

    private static IResult With(string id, ComparisonRegistry registry, Func<ComparisonRecord, IResult> answer) =>
        registry.Find(id) is { } record ? answer(record) : Unknown(id, registry);

    private static ProblemHttpResult Unknown(string id, ComparisonRegistry registry) => Problems.NotFound("comparison", id, registry.All.Select(record => record.Id));
}
