using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.ModelStore;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ClusterLlm.NodeAgent.Shards;

/// <summary>Models, engines and the shards that run on them.</summary>
internal static class ShardsExtensions
{
    public static void AddShards(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ModelCatalog>();
        builder.Services.AddSingleton<EngineRegistry>();
        builder.Services.TryAddSingleton<EngineChanges>();
        builder.Services.AddSingleton<ShardRunner>();
        builder.Services.AddSingleton<ShardHost>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ShardHost>());
    }
}
