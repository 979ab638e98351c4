using ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;
using ClusterLlm.NodeAgent.Engines.Builtin.Threading;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Builtin;

/// <summary>Adds the builtin engine to an agent.</summary>
internal static class BuiltinEngineExtensions
{
    public static IHostApplicationBuilder AddBuiltinEngine(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<BuiltinOptions>().BindConfiguration(BuiltinOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<BuiltinOptions>, BuiltinOptionsValidator>();
        services.AddSingleton<IValidateOptions<BuiltinOptions>, ArtificialLimitsValidator>();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IStageChannels, StageChannels>();
        services.AddSingleton(provider => new ComputePool(provider.GetRequiredService<IOptions<BuiltinOptions>>().Value.Threads));
        services.AddSingleton<StageDirectory>();
        services.AddSingleton<IStageConnector, GrpcStageConnector>();
        services.AddSingleton<BuiltinMetrics>();
        services.AddSingleton<BuiltinClock>(provider => new(
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<BuiltinShard>>()));
        services.AddSingleton<BuiltinEngine>();
        services.AddSingleton<IEngine>(provider => provider.GetRequiredService<BuiltinEngine>());
        services.AddGrpc().AddServiceOptions<StageStreamService>(options =>
        {
            options.MaxReceiveMessageSize = StageStreamService.MaxMessageBytes;
            options.MaxSendMessageSize = StageStreamService.MaxMessageBytes;
        });
        return builder;
    }

    public static IEndpointRouteBuilder MapBuiltinEngine(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<StageStreamService>();
        return endpoints;
    }
}
