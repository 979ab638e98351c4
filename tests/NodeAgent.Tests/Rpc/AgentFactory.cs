using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Tests.Engines;
using ClusterLlm.NodeAgent.Tests.Hardware;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace ClusterLlm.NodeAgent.Tests.Rpc;

/// <summary>The whole agent in process, with a fake machine and a fake engine; each has its own home folder.</summary>
public sealed class AgentFactory : WebApplicationFactory<Program>
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("agent-home");

    internal FakeEngine Engine { get; } = new();

    internal FakeHardwareReader Hardware { get; } = new();

    internal FakeLoggerProvider Log { get; } = new();

    internal Dictionary<string, string> Settings { get; } = new() { ["Node:Id"] = "node-a", ["Node:DisplayName"] = "Node A" };

    internal string Models => Path.Combine(_home.FullName, "models");

    /// <summary>The certificates of the agent and of those who call it come from here.</summary>
    internal TestAuthority Authority { get; } = TestAuthority.Shared;

    /// <summary>A call of the Coordinator in process: its certificate is checked as it is behind TLS.</summary>
    internal GrpcChannel Channel() => Channel(Authority.Credentials(nodeId: null));

    /// <param name="caller"><see langword="null"/>: one without a certificate.</param>
    internal GrpcChannel Channel(ClusterCredentials? caller) => GrpcChannel.ForAddress(Server.BaseAddress, new GrpcChannelOptions
    {
        HttpHandler = Server.CreateHandler(context => context.Connection.ClientCertificate = caller?.Current?.Certificate),
        DisposeHttpClient = true,
    });

    /// <summary>A call of the Coordinator over a real connection.</summary>
    internal GrpcChannel Channel(Uri url) => Authority.Channel(url, Settings["Node:Id"]);

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("CLUSTERLLM_HOME", _home.FullName);
        Authority.WriteCredentials(_home.FullName, Settings["Node:Id"]);
        foreach (var (key, value) in Settings)
        {
            builder.UseSetting(key, value);
        }

        builder.ConfigureLogging(logging => logging.ClearProviders().AddProvider(Log));
        builder.ConfigureTestServices(services =>
        {
            services.AddSingleton<IEngine>(Engine);
            services.AddSingleton<IHardwareReader>(Hardware);
        });
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && _home.Exists)
        {
            _home.Delete(recursive: true);
        }
    }
}
