using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.AppHost.Settings;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.Testing;

[assembly: AssemblyFixture(typeof(ClusterLlm.Integration.RunningCluster))]

namespace ClusterLlm.Integration;

/// <summary>One real cluster for all tests: the AppHost's own topology and host, on free ports, with a home folder of its own.</summary>
public sealed class RunningCluster : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);

    private readonly string _home = Directory.CreateTempSubdirectory("clusterllm-integration-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly LineWriter _output = new();
    private StandaloneHost? _host;
    private Task<int>? _run;

    /// <summary>Address of the HTTP API, without a trailing slash.</summary>
    public string Url { get; private set; } = "";

    /// <summary>Everything that the host has printed.</summary>
    public string Output => _output.ToString();

    public HttpClient Http { get; private set; } = new();

    internal bool Demo { get; init; } = true;

    /// <summary>For all processes, over what the topology gives them.</summary>
    internal IReadOnlyDictionary<string, SettingValue> ExtraEnvironment { get; init; } = new Dictionary<string, SettingValue>();

    /// <summary>For each process by its name, over <see cref="ExtraEnvironment"/>.</summary>
    internal Func<string, IEnumerable<KeyValuePair<string, SettingValue>>> EnvironmentOf { get; init; } = _ => [];

    internal int Agents { get; init; } = 3;

    internal string Home => _home;

    internal ProcessTable Processes => _host!.Table;

    public async ValueTask InitializeAsync()
    {
        var settings = new AppHostSettings { Home = _home, HttpPort = 0, GrpcPort = 0, AgentPort = 0, Demo = Demo, Dashboard = false, Agents = Agents };
        var facts = BuildFacts.Read();
        HomeLock.TryTake(_home, HomeLock.AppHost)!.Dispose();
        LinkModels("demo-3m", "llama-f32");
        var topology = ClusterTopology.Build(settings, facts.SamplesFolder);
        topology = topology with { Processes = [.. topology.Processes.Select(process => process with { Environment = process.Environment.SetItems(ExtraEnvironment).SetItems(EnvironmentOf(process.Name)) })] };
        _host = new(topology, settings, facts, new(_output, isTerminal: false), TimeProvider.System);
        _run = _host.RunAsync(_stop.Token);
        var ready = _output.WaitForLineAsync("ready");
        var first = await Task.WhenAny(ready, _run, Task.Delay(StartLimit, TimeProvider.System, TestContext.Current.CancellationToken));
        Assert.True(first == ready, $"The cluster was not ready within {StartLimit}. It printed:{Environment.NewLine}{Output}");
        Url = Processes.Current[ClusterTopology.Coordinator].Urls[ClusterTopology.HttpEndpoint];
        // A request without a limit of tokens rightly takes as long as the context is: what hangs ends by the test's own limit.
        Http = new() { BaseAddress = new(Url), Timeout = TimeSpan.FromMinutes(4) };
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_run is not null)
        {
            await _run;
        }

        Http.Dispose();
        _host?.Dispose();
        _stop.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    /// <summary>What the agents find in their model folder beside the demo, which comes by its path.</summary>
    private void LinkModels(params string[] names)
    {
        var models = Directory.CreateDirectory(Path.Combine(_home, "models"));
        foreach (var name in names)
        {
            Directory.CreateSymbolicLink(Path.Combine(models.FullName, name), TestModels.PathOf(name));
        }
    }

    internal async Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) =>
        await Http.GetFromJsonAsync<JsonElement>(path, cancellationToken);
}
