using System.Collections.Immutable;
using System.Reflection;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Tests.Standalone;

/// <summary>Processes made from the project FakeProcess, supervised in a folder of their own.</summary>
internal sealed class FakeResources : IDisposable
{
    private readonly HttpClient _http = new();
    private readonly List<ProcessSupervisor> _supervisors = [];
    private readonly ProcessTable _table;
    private readonly LaunchResolver _resolver;
    private readonly RunWatch _watch;

    public FakeResources(params string[] names)
        : this(new SupervisorOptions { HealthInterval = TimeSpan.FromMilliseconds(100), FirstRestartPause = TimeSpan.FromMilliseconds(10) }, names)
    {
    }

    public FakeResources(SupervisorOptions options, params string[] names)
    {
        Home = Directory.CreateTempSubdirectory("clusterllm-apphost-").FullName;
        Directory.CreateDirectory(Path.Join(Home, "run"));
        _table = new(names);
        _resolver = new(new(new Dictionary<string, string> { ["FakeProcess"] = Program }, ""), Home);
        _watch = new(_resolver, _table, new(_http, TimeSpan.FromSeconds(2)), options, TimeProvider.System);
    }

    public static string Program { get; } = typeof(FakeResources).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(entry => entry.Key == "ClusterLlm.FakeProcess").Value!;

    public string Home { get; }

    public ProcessTable Table => _table;

    public ProcessLog LogOf(string name) => _supervisors.First(supervisor => supervisor.Name == name).Log;

    public static ProcessResource Resource(string name, string mode = "", int port = 0, bool isFixed = false) => new()
    {
        Name = name,
        Project = "FakeProcess",
        Endpoints = [new("web", port, isFixed, "Fake:Port", "FAKE_PORT", "http")],
        Environment = ImmutableSortedDictionary<string, SettingValue>.Empty.Add("FAKE_MODE", mode),
        HealthEndpoint = "web",
        ReadyFileVariable = "FAKE_READY",
    };

    public ProcessSupervisor Supervise(ProcessResource resource)
    {
        var log = new ProcessLog(Path.Join(Home, "logs", $"{resource.Name}.log"), mostBytes: 1_000_000);
        var supervisor = new ProcessSupervisor(resource, _resolver, _table, log, _watch, TimeProvider.System);
        _supervisors.Add(supervisor);
        return supervisor;
    }

    public void Dispose()
    {
        foreach (var supervisor in _supervisors)
        {
            supervisor.Log.Dispose();
        }

        _http.Dispose();
        Directory.Delete(Home, recursive: true);
    }
}
