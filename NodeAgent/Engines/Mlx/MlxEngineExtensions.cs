using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.NodeAgent.Engines.Mlx.Ring;
using ClusterLlm.NodeAgent.Engines.Mlx.Splitting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Mlx;

/// <summary>Adds the mlx engine to an agent.</summary>
internal static class MlxEngineExtensions
{
    public static IHostApplicationBuilder AddMlxEngine(this IHostApplicationBuilder builder)
    {
        builder.AddMlxEnvironment();
        var services = builder.Services;
        services.AddSingleton<TunnelTargets>();
        services.AddSingleton<TunnelMetrics>();
        services.AddSingleton<NeighbourChannels>();
        services.AddSingleton<RingConnector>();
        services.AddSingleton<RankStarter>();
        services.AddSingleton<SplitReferences>();
        services.AddSingleton<SplitGate>();
        services.AddSingleton<MemoryReturn>();
        services.AddSingleton<MlxEngine>();
        services.AddSingleton<IEngine>(provider => provider.GetRequiredService<MlxEngine>());
        return builder;
    }

    /// <summary>Only what finds or makes the Python environment.</summary>
    public static void AddMlxEnvironment(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<MlxOptions>().BindConfiguration(MlxOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<MlxOptions>, MlxOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<EngineChanges>();
        services.AddSingleton(MlxPackage.Shipped);
        services.AddSingleton(ProgramFinder.OfThisProcess);
        services.AddSingleton<MlxInstaller>();
        services.AddSingleton<ProbeCache>();
        services.AddSingleton<MlxEnvironment>();
    }

    public static IEndpointRouteBuilder MapMlxEngine(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<TunnelService>();
        return endpoints;
    }
}
