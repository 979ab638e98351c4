using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using ClusterLlm.Protos.V1;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;

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
    }

    public GrpcChannel Channel() => GrpcChannel.ForAddress(Server.BaseAddress, new GrpcChannelOptions { HttpHandler = Server.CreateHandler() });

    /// <summary>Joins the nodes and waits until all of them are ready and have told their models and shards.</summary>
    public async Task JoinAsync(CancellationToken cancellationToken, params FakeNode[] nodes)
    {
        using var channel = Channel();
        var membership = new MembershipService.MembershipServiceClient(channel);
        foreach (var node in nodes)
        {
            await membership.JoinAsync(node.JoinRequest(), cancellationToken: cancellationToken);
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
