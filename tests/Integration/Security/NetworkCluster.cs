using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration.Security;

/// <summary>A Coordinator on one host and agents on the other, all as real processes that know each other by tokens only.</summary>
internal sealed class NetworkCluster : IAsyncDisposable
{
    // Made to hold secrets, and their owner's alone.
    private static readonly HashSet<string> SecretFiles = ["token", "local-key", "key.pem", "identity.pem"];

    private readonly List<HostProcess> _processes = [];
    private readonly List<string> _homes = [];

    private TelemetrySink? _telemetry;

    private NetworkCluster(NetworkHosts hosts) => Hosts = hosts;

    public NetworkHosts Hosts { get; }

    public HostProcess Coordinator { get; private set; } = null!;

    public Uri GrpcUrl { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    /// <summary>Secrets that were made so far: none may show up anywhere.</summary>
    public List<string> Secrets { get; } = [];

    public IReadOnlyList<HostProcess> Processes => _processes;

    public string CoordinatorHome => _homes[0];

    /// <summary>What the processes have told by OTLP, where that was asked for.</summary>
    public TelemetrySink Telemetry => _telemetry ?? throw new InvalidOperationException("This cluster sends no telemetry.");

    public static Task<NetworkCluster> StartAsync(CancellationToken cancellationToken, params (string Name, string Value)[] settings) =>
        StartAsync(telemetry: false, cancellationToken, settings);

    /// <param name="telemetry">Whether all processes send their telemetry to <see cref="Telemetry"/>.</param>
    public static async Task<NetworkCluster> StartAsync(bool telemetry, CancellationToken cancellationToken, params (string Name, string Value)[] settings)
    {
        var cluster = new NetworkCluster(NetworkHosts.Create());
        try
        {
            cluster._telemetry = telemetry ? await TelemetrySink.StartAsync(cluster.Hosts.Coordinator, cluster.Hosts.Agents) : null;
            await cluster.StartCoordinatorAsync(settings, cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A token from the command line on the Coordinator's host.</summary>
    public async Task<string> CreateTokenAsync(CancellationToken cancellationToken, params string[] options)
    {
        await using var command = Start(Hosts.Coordinator, "Coordinator", CoordinatorHome, [], ["token", "create", .. options]);
        Assert.Equal(0, await command.WaitForExitAsync(cancellationToken));
        var token = command.Output.Split('\n').Single(line => line.StartsWith("cllm1-", StringComparison.Ordinal));
        _processes.Remove(command);
        Secrets.Add(token.Split('-')[2]);
        return token;
    }

    public async Task RevokeTokenAsync(string id, CancellationToken cancellationToken)
    {
        await using var command = Start(Hosts.Coordinator, "Coordinator", CoordinatorHome, [], "token", "revoke", id);
        Assert.Equal(0, await command.WaitForExitAsync(cancellationToken));
    }

    /// <summary>A new API key.</summary>
    public async Task<string> CreateKeyAsync(string name, string scope, CancellationToken cancellationToken)
    {
        using var response = await Http.PostAsJsonAsync("/api/keys", new { name, scopes = new[] { scope } }, cancellationToken);
        var key = (await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("key").GetString()!;
        Secrets.Add(key.Split('_')[2]);
        return key;
    }

    public async Task<IReadOnlyList<string>> NodesAsync(CancellationToken cancellationToken) =>
        [.. (await GetAsync("/api/nodes", cancellationToken)).EnumerateArray().Select(node => node.GetProperty("id").GetString()!)];

    /// <summary>An agent on the other host; it has nothing but the token.</summary>
    public HostProcess StartAgent(string nodeId, string token)
    {
        var home = NewHome();
        var file = Path.Combine(home, "token");
        PrivateFiles.Write(file, token);
        return StartAgentIn(home, nodeId, ("CLUSTERLLM__Node__JoinTokenFile", file));
    }

    public HostProcess StartAgentIn(string home, string nodeId, params (string Name, string Value)[] settings) => Start(
        Hosts.Agents,
        "NodeAgent",
        home,
        [
            ("CLUSTERLLM__Node__Id", nodeId),
            ("CLUSTERLLM__Node__GrpcPort", PortOf(nodeId).ToString(CultureInfo.InvariantCulture)),
            ("CLUSTERLLM__Node__ListenAddress", Hosts.AgentsAddress.ToString()),
            ("CLUSTERLLM__Node__ReadyFile", Path.Combine(home, "ready.json")),
            ("CLUSTERLLM__Node__ModelDirectories__0", TestModels.PathOf("demo-3m")),
            .. settings,
        ]);

    /// <summary>node-a has 7430, node-b the next one.</summary>
    public static int PortOf(string nodeId) => 7430 + nodeId[^1] - 'a';

    /// <summary>A folder of its own for a process, and its path again for a second one.</summary>
    public string NewHome()
    {
        _homes.Add(Directory.CreateTempSubdirectory("clusterllm-network-").FullName);
        return _homes[^1];
    }

    public bool HasCredentials(string nodeId) => _homes.Exists(home => Directory.Exists(Path.Combine(home, "node", nodeId)));

    public string HomeOf(string nodeId) => _homes.Single(home => Directory.Exists(Path.Combine(home, "node", nodeId)));

    public async Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) => await Http.GetFromJsonAsync<JsonElement>(path, cancellationToken);

    /// <summary>Follows the nodes until one is ready.</summary>
    public async Task WaitForNodeAsync(string nodeId, CancellationToken cancellationToken)
    {
        await using var stream = await Http.GetStreamAsync(new Uri("/api/nodes/events", UriKind.Relative), cancellationToken);
        await foreach (var item in System.Net.ServerSentEvents.SseParser.Create(stream).EnumerateAsync(cancellationToken))
        {
            if (JsonSerializer.Deserialize<JsonElement>(item.Data).EnumerateArray()
                .Any(node => node.GetProperty("id").GetString() == nodeId && node.GetProperty("state").GetString() == "ready"))
            {
                return;
            }
        }
    }

    /// <summary>All that the processes said and wrote, but for the files that are there to hold secrets.</summary>
    public string EverythingTold() => string.Join('\n', _processes.Select(process => process.Output));

    /// <summary>Where a secret is found that has no business there: in what the processes said, in their telemetry, or in a file that is not made to hold secrets.</summary>
    public IEnumerable<string> Leaks()
    {
        var told = new List<(string Where, string Text)> { ("output", EverythingTold()), ("telemetry", _telemetry?.Received ?? "") };
        told.AddRange(_homes.SelectMany(home => Directory.EnumerateFiles(home, "*", SearchOption.AllDirectories))
            .Where(path => !SecretFiles.Contains(Path.GetFileName(path)))
            .Select(path => (path, Encoding.Latin1.GetString(File.ReadAllBytes(path)))));
        return told.SelectMany(one => Secrets.Where(secret => one.Text.Contains(secret, StringComparison.Ordinal)).Select(secret => $"{one.Where}: {secret[..4]}…"));
    }

    /// <summary>Ends all processes; their homes stay until the cluster is disposed of.</summary>
    public async Task StopAsync()
    {
        foreach (var process in Enumerable.Reverse(_processes))
        {
            await process.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        await StopAsync();
        if (_telemetry is not null)
        {
            await _telemetry.DisposeAsync();
        }

        Hosts.Dispose();
        _homes.ForEach(home => Directory.Delete(home, recursive: true));
    }

    private async Task StartCoordinatorAsync((string Name, string Value)[] settings, CancellationToken cancellationToken)
    {
        var home = NewHome();
        var ready = Path.Combine(home, "ready.json");
        Coordinator = Start(
            Hosts.Coordinator,
            "Coordinator",
            home,
            [("CLUSTERLLM__Cluster__GrpcAddress", "0.0.0.0"), ("CLUSTERLLM__Cluster__HttpsAddress", "0.0.0.0"), ("CLUSTERLLM__Cluster__ReadyFile", ready), .. settings]);
        var urls = await Coordinator.WaitForReadyFileAsync(ready, "Application started", cancellationToken);
        GrpcUrl = new Uri($"https://{Hosts.CoordinatorAddress}:{new Uri(urls.GetProperty("grpcUrl").GetString()!).Port}");
        var key = await File.ReadAllTextAsync(Path.Combine(home, "run", "local-key"), cancellationToken);
        Secrets.Add(key.Split('_')[2]);
        Http = new HttpClient(NetworkHosts.Handler(Hosts.Coordinator)) { BaseAddress = new Uri(urls.GetProperty("httpUrl").GetString()!) };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    private HostProcess Start(string host, string project, string home, (string Name, string Value)[] settings, params string[] arguments)
    {
        if (_telemetry is not null)
        {
            settings = [.. settings, .. TelemetrySink.Settings];
        }

        var process = HostProcess.Start(host, project, home, settings.ToDictionary(setting => setting.Name, setting => setting.Value), arguments);
        _processes.Add(process);
        return process;
    }
}
