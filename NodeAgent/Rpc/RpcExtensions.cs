namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>The gRPC services of the agent.</summary>
internal static class RpcExtensions
{
    /// <summary>
    /// The largest activation message: a prefill chunk of 2048 rows x 16384 values x 4 bytes, with room for its header.
    /// gRPC's own default of 4 MiB would refuse ordinary chunks.
    /// </summary>
    private const int MaximumMessageBytes = 129 * 1024 * 1024;

    public static void AddAgentRpc(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<CallLifetime>();
        builder.Services.AddSingleton<NodeDescriber>();
        builder.Services.AddSingleton<LinkProbe>();
        builder.Services.AddSingleton<ModelMapping>();
        builder.Services.AddGrpc(options =>
        {
            options.Interceptors.Add<ErrorInterceptor>();
            options.MaxReceiveMessageSize = MaximumMessageBytes;
            options.MaxSendMessageSize = MaximumMessageBytes;
        });
    }

    public static void MapAgentRpc(this WebApplication app)
    {
        app.MapGrpcService<NodeService>();
        app.MapGrpcService<ModelService>();
        app.MapGrpcService<ShardService>();
        app.MapGrpcService<InferenceService>();
    }
}
