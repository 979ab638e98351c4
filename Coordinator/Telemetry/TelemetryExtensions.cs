namespace ClusterLlm.Coordinator.Telemetry;

/// <summary>The cluster's metrics.</summary>
internal static class TelemetryExtensions
{
    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ClusterMetrics>();

        // Observable instruments must exist before the first collection, though nobody asks for the class.
        builder.Services.AddHostedService<MetricsStart>();
    }

    private sealed class MetricsStart(ClusterMetrics metrics) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            ArgumentNullException.ThrowIfNull(metrics);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
