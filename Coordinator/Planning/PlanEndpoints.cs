using System.Collections.Immutable;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Hosting;

namespace ClusterLlm.Coordinator.Planning;

/// <summary><c>/api/plans</c> and <c>/api/catalog</c>.</summary>
internal static class PlanEndpoints
{
    public static void MapPlanEndpoints(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/plans", PlanAsync).WithTags("Planning").DescribeBody<PlanQuestionContract>()
            .Produces<PlanAnswerContract>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(413).ProducesProblem(422)
            .WithSummary("The best plan for an objective, with predictions and alternatives, or why there is none. Changes nothing.");
        var catalog = routes.MapGroup("/api/catalog").WithTags("Planning");
        catalog.MapGet("/models", () => ModelCatalog.BuiltIn.Models.Select(CatalogModelContract.From))
            .WithSummary("Models that can be planned without any file.");
        catalog.MapGet("/chips", () => ChipCatalog.BuiltIn.Entries.Select(CatalogChipContract.From))
            .WithSummary("Apple chips with bandwidth and compute.");
        catalog.MapGet("/links", () => LinkCatalog.BuiltIn).WithSummary("Kinds of links that a plan can assume.");
    }

    private static async Task<IResult> PlanAsync(HttpRequest request, PlanService plans, CancellationToken cancellationToken)
    {
        if (await RequestBody.ReadAsync(request, cancellationToken) is not { } body)
        {
            return RequestBody.TooLarge();
        }

        var (question, errors) = PlanQuestionReader.Read(body);
        return question is null
            ? TypedResults.ValidationProblem(errors, detail: string.Join(' ', errors.Values.SelectMany(each => each)))
            : View(await plans.AnswerAsync(question, cancellationToken));
    }

    private static IResult View(PlanAnswer answer) => answer switch
    {
        PlanAnswer.Planned planned => TypedResults.Ok(PlanAnswerContract.From(planned)),
        PlanAnswer.Refused refused => TypedResults.Problem(
            refused.Summary,
            statusCode: StatusCodes.Status422UnprocessableEntity,
            title: "No plan",
            extensions: new Dictionary<string, object?>
            {
                ["rejections"] = RejectionContract.From(refused.Rejections),
                ["added"] = refused.Added is null ? null : AddedContract.From(refused.Added),
            }),
        PlanAnswer.NoModel none => TypedResults.Problem(
            none.Message,
            statusCode: StatusCodes.Status404NotFound,
            title: "Unknown model",
            extensions: new Dictionary<string, object?>
            {
                ["nearest"] = none.Nearest,
                ["errors"] = ImmutableDictionary<string, string[]>.Empty.Add("model", [none.Message]),
            }),
        _ => throw new InvalidOperationException($"Unknown answer {answer.GetType().Name}."),
    };
}

/// <summary>A built-in model, as the API lists it.</summary>
/// <param name="KvBytesPerToken">Of a 16-bit cache, all layers, for a context below any window.</param>
internal sealed record CatalogModelContract(
    string Id,
    string Name,
    string Repository,
    string Architecture,
    string Storage,
    int Layers,
    int HiddenSize,
    int MaxContextTokens,
    double TotalParameters,
    double ActiveParameters,
    long TotalBytes,
    long ActiveBytes,
    long EmbeddingBytes,
    long HeadBytes,
    long KvBytesPerToken,
    string Source)
{
    public static CatalogModelContract From(CatalogModel model) => new(
        model.Id,
        model.Name,
        model.Repository,
        model.Spec.Architecture,
        model.Storage,
        model.Spec.LayerCount,
        model.Spec.HiddenSize,
        model.Spec.MaxContextTokens,
        model.Spec.TotalParameters,
        model.Spec.ActiveParameters,
        model.Spec.TotalBytes,
        model.Spec.ActiveBytes,
        model.Spec.EmbeddingBytes,
        model.Spec.HeadBytes,
        model.Spec.Layers.Sum(layer => 2L * layer.KvElementsPerToken),
        model.Source);
}

/// <summary>A chip, as the API lists it.</summary>
internal sealed record CatalogChipContract(
    string Chip,
    int GpuCores,
    ImmutableArray<int> MemoryGigabytes,
    double BandwidthBytesPerSecond,
    double ShaderFlops,
    double PrefillFlops,
    string Thunderbolt,
    bool Rdma,
    string Source)
{
    public static CatalogChipContract From(ChipEntry entry) => new(
        entry.Facts.Chip,
        entry.Facts.GpuCores,
        entry.MemoryGigabytes,
        entry.Facts.BandwidthBytesPerSecond,
        entry.Facts.ShaderFlops,
        entry.Facts.MatrixFlops,
        entry.Thunderbolt,
        entry.Rdma,
        entry.Facts.Source);
}
