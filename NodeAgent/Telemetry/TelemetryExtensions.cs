using ClusterLlm.NodeAgent.Hardware.Power;

namespace ClusterLlm.NodeAgent.Telemetry;

/// <summary>Readings, metrics and spans.</summary>
internal static class TelemetryExtensions
{
    public static void AddNodeTelemetry(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<PowerMeter>();
        builder.Services.AddHostedService(services => services.GetRequiredService<PowerMeter>());
        builder.Services.AddSingleton<TelemetrySampler>();
        builder.Services.AddSingleton<NodeMetrics>();
        builder.Services.AddSingleton<GenerationRecorder>();
        builder.Services.AddHostedService<InstrumentsAtStart>();
    }

    /// <summary>Makes the instruments when the agent starts: a node that answers no requests itself has gauges too.</summary>
    private sealed class InstrumentsAtStart : IHostedService
    {
        public InstrumentsAtStart(NodeMetrics metrics) => ArgumentNullException.ThrowIfNull(metrics);

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
