using System.Collections.Immutable;
using System.Globalization;
using ClusterLlm.AppHost.Settings;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.AppHost.Topology;

/// <summary>What runs where: the one description that both hosts start. Pure; nothing is started or looked up here.</summary>
internal sealed record ClusterTopology
{
    public const string Coordinator = "coordinator";
    public const string HttpEndpoint = "http";
    public const string GrpcEndpoint = "grpc";
    public const string ProbeEndpoint = "probe";
    public const int DefaultHttpPort = 7420;
    public const int DefaultGrpcPort = 7421;
    public const int DefaultAgentPort = 7430;

    /// <summary>In an order in which each comes after what it waits for.</summary>
    public required ImmutableArray<ProcessResource> Processes { get; init; }

    /// <summary>Null when the person switched it off or no local agent could hold it.</summary>
    public DemoDeployment? Demo { get; init; }

    /// <summary>Null without local agents.</summary>
    public PythonEnvironment? Python { get; init; }

    /// <param name="settings">What the person chose.</param>
    /// <param name="samplesFolder">Absolute folder that holds <c>demo-3m</c>.</param>
    public static ClusterTopology Build(AppHostSettings settings, string samplesFolder)
    {
        ImmutableArray<ProcessResource> agents =
            [.. Enumerable.Range(0, settings.Agents).Select(index => Agent(settings, index))];
        return new()
        {
            Processes = [CoordinatorProcess(settings), .. agents],
            Python = agents.Length > 0 ? new("mlx-python", Path.Join(settings.Home, "mlx"), [.. agents.Select(agent => agent.Name)]) { Environment = Common(settings) } : null,
            Demo = settings.Demo && agents.Length > 0
                ? new("demo", Path.Join(samplesFolder, "demo-3m"), [.. agents.Take(3).Select(agent => agent.Name)])
                : null,
        };
    }

    private static ProcessResource CoordinatorProcess(AppHostSettings settings) => new()
    {
        Name = Coordinator,
        Project = "Coordinator",
        Endpoints =
        [
            Endpoint(HttpEndpoint, settings.HttpPort, DefaultHttpPort, "AppHost:HttpPort", "CLUSTERLLM__Cluster__HttpPort", Uri.UriSchemeHttp),
            Endpoint(GrpcEndpoint, settings.GrpcPort, DefaultGrpcPort, "AppHost:GrpcPort", "CLUSTERLLM__Cluster__GrpcPort", Uri.UriSchemeHttps),
        ],
        Environment = settings.Agents == 0
            ? Common(settings)
            : Common(settings)
                .Add("CLUSTERLLM__Security__StartTokenFile", StartTokenFile(settings))
                .Add("CLUSTERLLM__Security__StartTokenUses", settings.Agents.ToString(CultureInfo.InvariantCulture)),
        HealthEndpoint = HttpEndpoint,
        ReadyFileVariable = "CLUSTERLLM__Cluster__ReadyFile",
    };

    private static ProcessResource Agent(AppHostSettings settings, int index)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"node-{index + 1}");
        var share = settings.AgentMemoryShare ?? 1.0 / settings.Agents;
        return new()
        {
            Name = id,
            Project = "NodeAgent",
            Endpoints =
            [
                Endpoint(GrpcEndpoint, settings.AgentPort is > 0 and var first ? first + index : settings.AgentPort, DefaultAgentPort + index, "AppHost:AgentPort", "CLUSTERLLM__Node__GrpcPort", Uri.UriSchemeHttps),
                new(ProbeEndpoint, 0, Fixed: false, Setting: null, "CLUSTERLLM__Node__ProbePort", Uri.UriSchemeHttp),
            ],
            Environment = Common(settings)
                .Add("CLUSTERLLM__Node__Id", id)
                .Add("CLUSTERLLM__Node__MemoryShare", share.ToString("0.####", CultureInfo.InvariantCulture))
                .Add("CLUSTERLLM__Node__CoordinatorUrl", new EndpointValue(Coordinator, GrpcEndpoint))
                .Add("CLUSTERLLM__Node__JoinTokenFile", StartTokenFile(settings)),
            WaitFor = [Coordinator],
            HealthEndpoint = ProbeEndpoint,
            // All that an agent tells without a certificate.
            HealthPath = "/alive",
            ReadyFileVariable = "CLUSTERLLM__Node__ReadyFile",
        };
    }

    /// <summary>Written by the Coordinator for the agents of this start; its owner's alone, as neither an argument nor the environment is.</summary>
    private static string StartTokenFile(AppHostSettings settings) => Path.Join(settings.Home, "run", "start-token");

    /// <summary>0 is a person's wish too, but one that any port fulfils.</summary>
    private static EndpointResource Endpoint(string name, int? set, int preferred, string setting, string variable, string scheme) =>
        new(name, set ?? preferred, Fixed: set is > 0, setting, variable, scheme);

    private static ImmutableSortedDictionary<string, SettingValue> Common(AppHostSettings settings) =>
        ImmutableSortedDictionary<string, SettingValue>.Empty
            .Add(ClusterHome.VariableName, settings.Home)
            .Add("CLUSTERLLM__Logging__LogLevel__Default", settings.LogLevel);
}
