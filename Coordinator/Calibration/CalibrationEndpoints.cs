using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Calibration;

/// <summary><c>POST /api/nodes/{id}/calibrate</c>: measuring machines and links.</summary>
internal static class CalibrationEndpoints
{
    public static void AddCalibration(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<CalibrationRegistry>();
        builder.Services.AddSingleton<CalibrationRunner>();
        builder.Services.AddSingleton<LinkProber>();
        builder.Services.AddSingleton<SpeedHistory>();
        builder.Services.AddHostedService<CalibrationLoader>();
        builder.Services.AddHostedService<SpeedRecorder>();
    }

    public static void MapCalibration(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/nodes/{id}/calibrate", CalibrateAsync).WithTags("Nodes").Produces<CalibrationContract>().ProducesProblem(404).ProducesProblem(409).ProducesProblem(422)
            .WithSummary("Measures the node with two short runs on its engine, and its links to the other nodes. Takes as long as loading two models.");
    }

    private static async Task<IResult> CalibrateAsync(
        string id, string? engine, NodeRegistry nodes, CalibrationRunner runner, LinkProber links, CancellationToken cancellationToken)
    {
        if (!nodes.Current.TryGetValue(id, out var node))
        {
            return Problems.NotFound("node", id, nodes.Current.Keys);
        }

        var (measured, problems) = await links.ProbeAsync(id, cancellationToken);
        var chosen = engine ?? (node.Facts.Engines.Any(one => one is { Name: "mlx", Available: true }) ? "mlx" : "builtin");
        var outcome = await runner.RunAsync(id, chosen, cancellationToken);
        return outcome.Calibration is { } calibration
            ? TypedResults.Ok(new CalibrationContract(id, calibration, outcome.Note, measured, problems))
            : TypedResults.Problem(outcome.Problem, statusCode: outcome.Status, title: "Not calibrated", extensions: new Dictionary<string, object?> { ["links"] = measured });
    }
}

/// <summary>What was measured.</summary>
/// <param name="Note">What had to be bent to fit; <see langword="null"/> when nothing had.</param>
internal sealed record CalibrationContract(
    string Node, EngineCalibration Calibration, string? Note, IReadOnlyList<LinkMeasurement> Links, IReadOnlyList<string> LinkProblems);

/// <summary>Reads at start what earlier runs measured; the database is open by then, since its service starts first.</summary>
internal sealed class CalibrationLoader(CalibrationRegistry registry) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => registry.LoadAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
