namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>The gRPC services of the agent.</summary>
internal static class RpcExtensions
{
    public static void AddAgentRpc(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<CallLifetime>();
        builder.Services.AddSingleton<NodeDescriber>();
        builder.Services.AddSingleton<LinkProbe>();
        builder.Services.AddSingleton<ModelMapping>();
        builder.Services.AddGrpc(options => options.Interceptors.Add<ErrorInterceptor>());
    }

    public static void MapAgentRpc(this WebApplication app)
    {
        app.MapGrpcService<NodeService>();
        app.MapGrpcService<ModelService>();
        app.MapGrpcService<ShardService>();
        app.MapGrpcService<InferenceService>();
    }
}
