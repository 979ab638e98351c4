using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using ClusterLlm.Coordinator.Comparisons.Running;
using ClusterLlm.Coordinator.Security;
using ClusterLlm.Protos.V1;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;

namespace ClusterLlm.Coordinator.Tests.Fakes;

/// <summary>The whole Coordinator in process, with a home folder of its own and short waiting times.</summary>
internal sealed class CoordinatorHost : WebApplicationFactory<Program>
{
    /// <summary>Above anything a test waits for; a wait that reaches it names its phase and what it last saw.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, string> _settings = new()
    {
        ["Logging:LogLevel:Default"] = "Warning",
        ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = "Warning",
        ["Nodes:TelemetryInterval"] = "00:00:00.1",
        ["Nodes:CheckInterval"] = "00:00:00.1",
        ["Nodes:StreamGrace"] = "00:00:00.5",
        ["Nodes:LeaseDuration"] = "00:00:20",
        ["Nodes:ReconnectFirst"] = "00:00:00.05",
        ["Nodes:ReconnectLongest"] = "00:00:00.5",
        ["Deployments:RetryFirst"] = "00:00:00.05",
        ["Deployments:Interval"] = "00:00:00.2",
        ["Deployments:StartupGrace"] = "00:00:20",
        ["Deployments:OrphanGrace"] = "00:00:00",
    };

    /// <summary>Holds the database; give it to a second host to see a restart.</summary>
    public string Home { get; init; } = Directory.CreateTempSubdirectory("coordinator-test-").FullName;

    public JsonElement LastSeen { get; private set; }

    public CoordinatorHost With(string key, string value)
    {
        _settings[key] = value;
        return this;
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("CLUSTERLLM_HOME", Home);
        foreach (var (key, value) in _settings)
        {
            builder.UseSetting(key, value);
        }

        builder.ConfigureTestServices(services => services.AddSingleton<ISelfEndpoint>(new OwnSurface(this)));
    }

    /// <summary>The in-process server has no port that the Coordinator could call itself at.</summary>
    private sealed class OwnSurface(CoordinatorHost host) : ISelfEndpoint
    {
        private readonly Lazy<HttpClient> _http = new(() => host.CreateClient());

        public HttpClient Http => _http.Value;

        public Uri BaseUrl => new(host.Server.BaseAddress, "v1/");
    }

    /// <summary>Calls of a node in process; its certificate, from this Coordinator's authority, is checked as it is behind TLS.</summary>
    public GrpcChannel Channel(string nodeId) => Channel(Credentials(nodeId).Current!.Certificate);

    /// <param name="certificate"><see langword="null"/>: a caller without one.</param>
    public GrpcChannel Channel(X509Certificate2? certificate) => GrpcChannel.ForAddress(Server.BaseAddress, new GrpcChannelOptions
    {
        HttpHandler = Server.CreateHandler(context => context.Connection.ClientCertificate = certificate),
    });

    /// <summary>A node's credentials, as joining would give them.</summary>
    public ClusterCredentials Credentials(string nodeId)
    {
        using var key = CertificateIssuer.NewKey();
        using var certificate = Authority.Issue(new PublicKey(key), PeerRoles.Node, nodeId, TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(1));
        var credentials = new ClusterCredentials(TimeProvider.System);
        credentials.Replace(new PeerCredentials(CertificateIssuer.WithKey(certificate, key), Authority.Certificate, PeerIdentity.Read(certificate)!));
        return credentials;
    }

    private ClusterAuthority Authority => Services.GetRequiredService<SecurityState>().Authority;

    /// <summary>Joins the nodes and waits until all of them are ready and have told their models and shards.</summary>
    public async Task JoinAsync(CancellationToken cancellationToken, params FakeNode[] nodes)
    {
        foreach (var node in nodes)
        {
            node.Credentials.Replace(Credentials(node.NodeId).Current);
            using var channel = Channel(node.NodeId);
            await new MembershipService.MembershipServiceClient(channel).JoinAsync(node.JoinRequest(), cancellationToken: cancellationToken);
        }

        await WaitAsync("/api/nodes/events", "nodes to become ready", list => nodes.All(node => list.EnumerateArray().Any(
            seen => seen.GetProperty("id").GetString() == node.NodeId && seen.GetProperty("state").GetString() == "ready")), cancellationToken);
        using var http = CreateClient();
        await http.GetAsync("/api/models?refreshNow=true", cancellationToken);
    }

    public async Task<HttpResponseMessage> PostAsync(string path, object body, CancellationToken cancellationToken)
    {
        using var http = CreateClient();
        return await http.PostAsJsonAsync(path, body, cancellationToken);
    }

    public async Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var http = CreateClient();
        return await http.GetFromJsonAsync<JsonElement>(path, cancellationToken);
    }

    /// <summary>Deploys, and returns the new deployment's id.</summary>
    public async Task<string> DeployAsync(object body, CancellationToken cancellationToken)
    {
        using var response = await PostAsync("/api/deployments", body, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(response.StatusCode == System.Net.HttpStatusCode.Accepted, $"{response.StatusCode}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text).GetProperty("id").GetString()!;
    }

    /// <summary>Waits on the deployment's event stream for a state.</summary>
    public Task<JsonElement> WaitForStateAsync(string id, string state, CancellationToken cancellationToken) => WaitAsync(
        $"/api/deployments/{id}/events", $"deployment {id} to be {state}", seen => seen.GetProperty("state").GetString() == state, cancellationToken);

    /// <summary>Reads server-sent events until one of them fits.</summary>
    public async Task<JsonElement> WaitAsync(
        string path, string phase, Func<JsonElement, bool> fits, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        using var http = CreateClient();
        try
        {
            await using var stream = await http.GetStreamAsync(path, limit.Token);
            await foreach (var item in SseParser.Create(stream).EnumerateAsync(limit.Token))
            {
                LastSeen = JsonSerializer.Deserialize<JsonElement>(item.Data);
                if (fits(LastSeen))
                {
                    return LastSeen;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
        }

        throw new TimeoutException($"Waited for {phase}; last seen: {LastSeen}");
    }
}
