namespace Microsoft.Extensions.Hosting;

/// <summary>What every ClusterLlm process shares: telemetry, health, and how it ends.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>Adds the shared services to <paramref name="builder"/>.</summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder => builder;
}
