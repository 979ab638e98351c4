using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ClusterLlm.ServiceDefaults;

/// <summary>OpenTelemetry for logs, metrics and traces.</summary>
internal static class Observability
{
    /// <summary>Every meter and activity source of the product starts with this.</summary>
    public const string TelemetryPrefix = "ClusterLlm.";

    private const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Instead of 10 s: a process that ends together with its collector must not wait longer for an answer than its host waits for it.</summary>
    private static readonly KeyValuePair<string, string?> Patience = new("OTEL_EXPORTER_OTLP_TIMEOUT", "1500");

    /// <summary>Collects telemetry, and exports it by OTLP only when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set.</summary>
    /// <remarks>
    /// W3C trace context needs no code of ours: the HTTP handler under a gRPC channel writes <c>traceparent</c>, and ASP.NET Core reads it for gRPC calls
    /// as for any other request. That holds for calls from the Coordinator to agents, from agents to the Coordinator, and between agents.
    /// </remarks>
    public static void AddObservability(this IHostApplicationBuilder builder)
    {
        var exports = builder.Configuration[OtlpEndpoint] is { Length: > 0 };
        if (exports)
        {
            // First, so that what the operator says wins.
            builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = [Patience] });
            builder.Logging.AddOpenTelemetry(options => (options.IncludeFormattedMessage, options.IncludeScopes) = (true, true));
        }

        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => Describe(resource, ServiceIdentity.From(builder.Configuration, builder.Environment.ApplicationName)))
            .WithMetrics(Collect)
            .WithTracing(Trace);
        if (exports)
        {
            telemetry.UseOtlpExporter();
        }
    }

    private static void Collect(MeterProviderBuilder metrics) => metrics
        .AddMeter(TelemetryPrefix + "*")
        .AddAspNetCoreInstrumentation()
        .AddHttpClientInstrumentation()
        .AddRuntimeInstrumentation();

    private static void Trace(TracerProviderBuilder traces) => traces
        .AddSource(TelemetryPrefix + "*")
        .AddAspNetCoreInstrumentation(options => options.Filter = context => !HealthEndpoints.IsProbe(context.Request.Path))
        .AddHttpClientInstrumentation()
        // The span of the gRPC call already tells the story of its HTTP/2 request.
        .AddGrpcClientInstrumentation(options => options.SuppressDownstreamInstrumentation = true);

    private static void Describe(ResourceBuilder resource, ServiceIdentity identity)
    {
        resource.AddService(identity.Name, serviceVersion: identity.Version, autoGenerateServiceInstanceId: false, serviceInstanceId: identity.InstanceId);
        // Last, so that what the operator says in OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES wins.
        resource.AddEnvironmentVariableDetector();
    }
}
