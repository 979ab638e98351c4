using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every ClusterLlm process shares: settings, logs, telemetry, health, and how it ends.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>Time that hosted services have to stop once the process is asked to end.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Above the largest request body (32 MiB by default) and the activations of a large prefill chunk; the default of 4 MiB is below both.</summary>
    private const int MaxMessageBytes = 64 * 1024 * 1024;

    /// <summary>Adds the shared services to <paramref name="builder"/>.</summary>
    /// <remarks>
    /// No resilience handler is put on HTTP or gRPC clients. The usual default (10 s per attempt, 30 s in total, POST retried) sent a generation whose
    /// headers came after 12 s three times and then failed it (measured on .NET 10 with Microsoft.Extensions.Http.Resilience 10); inference must be sent
    /// once and may take minutes. A client whose calls are safe to repeat asks for retries by itself.
    /// </remarks>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Configuration.AddClusterSettings();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton(ClusterHome.From(builder.Configuration));
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);

        builder.AddCalmConsole();
        builder.AddObservability();
        builder.AddHealth();
        builder.AddParentWatch();
        return builder;
    }

    private static void AddHealth(this IHostApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy("The process answers."), [HealthEndpoints.LiveTag]);
        // Every ClusterLlm process is a gRPC server, so that grpc.health.v1 is the one probe that works on every port.
        builder.Services.AddGrpc(options => options.MaxReceiveMessageSize = MaxMessageBytes);
        builder.Services.AddGrpcHealthChecks();
    }

    private static void AddParentWatch(this IHostApplicationBuilder builder)
    {
        if (ParentWatch.IsAskedFor(builder.Configuration))
        {
            var parent = builder.Configuration[ParentWatch.VariableName]!;
            builder.Services.AddHostedService(provider => new ParentWatch(
                provider.GetRequiredService<IHostApplicationLifetime>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<ParentWatch>>())
            {
                OpenInput = () => ParentWatch.Open(parent),
                WatchesParentProcess = ParentWatch.LeadsPastParent(parent),
            });
        }
    }
}
