namespace ClusterLlm.NodeAgent.Telemetry;

/// <summary>Readings, metrics and spans.</summary>
internal static class TelemetryExtensions
{
    public static void AddNodeTelemetry(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<TelemetrySampler>();
        builder.Services.AddSingleton<NodeMetrics>();
        builder.Services.AddSingleton<GenerationRecorder>();
    }
}
