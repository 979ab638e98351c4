using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using ClusterLlm.Coordinator.Security;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>What holds for the whole process: settings, ports, JSON, problem details.</summary>
internal static class ClusterExtensions
{
    // Bodies of /api are small; /v1 sets its own limit.
    private const long MaxBodyBytes = 64L * 1024 * 1024;

    public static void AddCluster(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<ClusterOptions>().BindConfiguration(ClusterOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<ClusterOptions>, ClusterOptionsValidator>();
        builder.Services.AddSingleton<ClusterIdentity>();
        builder.Services.AddSingleton<ListeningPorts>();
        builder.Services.AddHostedService<HomeClaim>();
        builder.Services.AddHostedService<ReadyFile>();
        builder.Services.AddProblemDetails();
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
        });
        builder.Services.AddSingleton<IConfigureOptions<KestrelServerOptions>, KestrelPorts>();
    }

    public static void UseCluster(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseMiddleware<PortGate>();
        app.UsePeerGate();
        app.UseApiGuards();
        app.MapClusterEndpoints();
    }

    private sealed class KestrelPorts(IOptions<ClusterOptions> options, PeerListener peers, HttpsCertificate https) : IConfigureOptions<KestrelServerOptions>
    {
        public void Configure(KestrelServerOptions kestrel)
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;

            // Two ports, because they are guarded in two ways: the API by keys or by being on loopback, agents by certificates.
            kestrel.Listen(IPAddress.Loopback, options.Value.HttpPort, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(options.Value.GrpcIPAddress, options.Value.GrpcPort, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                peers.Secure(listen, PeerDemand.CertificateOrNone);
            });
            if (options.Value.HttpsIPAddress is { } address)
            {
                kestrel.Listen(address, options.Value.HttpsPort, https.Secure);
            }
        }
    }
}
