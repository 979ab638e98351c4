using System.Net;
using System.Security.Cryptography;
using System.Text;
using ClusterLlm.AppHost.Standalone;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>Serves the resource service on loopback, to callers with the key only.</summary>
internal static class ResourceServer
{
    public static WebApplication Build(
        DashboardAddresses addresses, ResourceFeed feed, IReadOnlyDictionary<string, ProcessLog> logs, CommandDesk commands, TimeProvider time)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(server => server.Listen(
            IPAddress.Loopback, new Uri(addresses.ResourceUrl).Port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddRouting();
        builder.Services.AddGrpc(grpc => grpc.Interceptors.Add<KeyInterceptor>(addresses.ResourceKey));
        builder.Services.AddSingleton(feed).AddSingleton(logs).AddSingleton(commands).AddSingleton(new CommandDialogs(time));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var app = builder.Build();
        app.MapGrpcService<ResourceGrpcService>();
        return app;
    }

    private sealed class KeyInterceptor(string key) : Interceptor
    {
        private const string Header = "x-resource-service-api-key";

        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            Check(context);
            return continuation(request, context);
        }

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
        {
            Check(context);
            return continuation(request, responseStream, context);
        }

        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            DuplexStreamingServerMethod<TRequest, TResponse> continuation)
        {
            Check(context);
            return continuation(requestStream, responseStream, context);
        }

        private void Check(ServerCallContext context)
        {
            var given = context.RequestHeaders.GetValue(Header) ?? "";
            if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(key)))
            {
                throw new RpcException(new(StatusCode.Unauthenticated, $"The header {Header} is missing or wrong."));
            }
        }
    }
}
