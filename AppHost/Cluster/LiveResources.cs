using System.Collections.Immutable;
using System.Globalization;
using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>Turns what the Coordinator tells into rows of the dashboard. Pure.</summary>
internal static class LiveResources
{
    /// <summary>Every deployment, every node that is not one of this machine's processes (those have rows already), and the Python environment.</summary>
    /// <param name="localProcesses">Names of the processes that the host itself shows.</param>
    /// <param name="coordinator">Name of the row that deployments stand under.</param>
    /// <param name="python">Of the local agents; null when there are none.</param>
    public static ImmutableArray<LiveResource> From(ClusterView view, IReadOnlySet<string> localProcesses, string coordinator, PythonEnvironment? python) =>
    [
        .. view.Nodes.Where(node => !localProcesses.Contains(node.Id)).Select(node => Node(node, view.Connected)),
        .. OnePerName(view.Deployments).Select(deployment => Deployment(deployment, view, localProcesses, coordinator)),
        .. python is not null && PythonRow.From(python, view) is { } row ? ImmutableArray.Create(row) : [],
    ];

    /// <summary>Chip, memory, speed, engines and state: also for the rows of local agents.</summary>
    public static ImmutableArray<LiveProperty> Properties(NodeView node) =>
    [
        new("cluster.state", "Cluster state", string.IsNullOrEmpty(node.Reason) ? Word(node.State) : $"{Word(node.State)}: {node.Reason}"),
        new("cluster.chip", "Chip", node.Chip),
        new("cluster.memory", "Memory", $"{Quantity.Bytes(node.UsableBytes)} usable of {Quantity.Bytes(node.MemoryTotalBytes)}"),
        new("cluster.freeMemory", "Free memory", Quantity.Bytes(node.FreeBytes)),
        new("cluster.tokensPerSecond", "Tokens per second", Quantity.Rate(node.TokensPerSecond)),
        new("cluster.engines", "Engines", Engines(node)),
        .. node.Addresses.Take(1).Select(address => new LiveProperty("cluster.address", "Address", address.Url)),
    ];

    /// <summary>Commands that make sense on a node now.</summary>
    public static ImmutableArray<string> EnabledCommands(NodeView? node) => node switch
    {
        null => [],
        { IsReady: true } => [ClusterCommands.Drain, ClusterCommands.Remove],
        { IsDraining: true } => [ClusterCommands.Resume, ClusterCommands.Remove],
        _ => [ClusterCommands.Remove],
    };

    /// <summary>Commands that make sense on a deployment now.</summary>
    public static ImmutableArray<string> EnabledCommands(DeploymentView deployment) => deployment switch
    {
        { HasStopped: true } => [ClusterCommands.Restart, ClusterCommands.Forget],
        { IsReady: true } => [ClusterCommands.TestPrompt, ClusterCommands.Stop, ClusterCommands.Restart],
        _ => [ClusterCommands.Stop, ClusterCommands.Restart],
    };

    /// <summary>The row's name of a node that is not a local process.</summary>
    public static string NameOf(NodeView node) => ResourceName.From(node.Id);

    /// <summary>A prefix keeps a deployment called like a process apart from it.</summary>
    public static string NameOf(DeploymentView deployment) => ResourceName.From($"deployment-{deployment.Name}");

    /// <summary>A stopped deployment may share its name with a newer one, which is then the one to show.</summary>
    private static IEnumerable<DeploymentView> OnePerName(ImmutableArray<DeploymentView> deployments) =>
        deployments.GroupBy(NameOf).Select(same => same.LastOrDefault(deployment => !deployment.HasStopped) ?? same.Last());

    private static LiveResource Node(NodeView node, bool connected) => new(NameOf(node), LiveResourceKind.Node, node.Id)
    {
        DisplayName = node.Name.Length > 0 ? node.Name : node.Id,
        State = !connected ? "Unknown" : node.IsReady ? "Running" : Word(node.State),
        Style = !connected || node.IsDraining ? LiveStateStyle.Warning
            : node.IsReady ? LiveStateStyle.Success
            : node.IsLost ? LiveStateStyle.Error : LiveStateStyle.Info,
        StartedAt = node.JoinedAt == default ? null : node.JoinedAt,
        Properties = Properties(node),
        EnabledCommands = connected ? EnabledCommands(node) : [],
    };

    private static LiveResource Deployment(DeploymentView deployment, ClusterView view, IReadOnlySet<string> localProcesses, string coordinator)
    {
        var stages = (deployment.Plan?.Stages ?? []).OrderBy(stage => stage.FirstLayer).ToArray();
        return new(NameOf(deployment), LiveResourceKind.Deployment, deployment.Id)
        {
            DisplayName = deployment.Name,
            State = !view.Connected ? "Unknown" : deployment.IsReady ? "Running" : Word(deployment.State),
            Style = !view.Connected ? LiveStateStyle.Warning : StyleOf(deployment),
            Parent = coordinator,
            StartedAt = deployment.CreatedAt == default ? null : deployment.CreatedAt,
            Properties =
            [
                new("deployment.model", "Model", deployment.Model),
                .. string.IsNullOrEmpty(deployment.Reason) ? ImmutableArray<LiveProperty>.Empty : [new("deployment.reason", "Reason", deployment.Reason)],
                .. Loading(deployment),
                new("deployment.tokensPerSecond", "Tokens per second", Quantity.Rate(deployment.Measured?.DecodeTokensPerSecond ?? 0)),
                new("deployment.engine", "Engine", deployment.Engine),
                new("deployment.objective", "Objective", deployment.Objective),
                new("deployment.context", "Context", $"{deployment.ContextTokens} tokens, {deployment.Concurrency} at once"),
                .. stages.Select((stage, index) => new LiveProperty(Invariant($"deployment.stage{index + 1:00}"), Invariant($"Stage {index + 1}"), Stage(stage))),
            ],
            Uses = [.. stages.Select(stage => localProcesses.Contains(stage.Node) ? stage.Node : view.Node(stage.Node) is { } node ? NameOf(node) : null).OfType<string>().Distinct()],
            EnabledCommands = view.Connected ? EnabledCommands(deployment) : [],
        };
    }

    /// <summary>For example <c>node-2: layers 4–7, 1.9 MB</c>.</summary>
    private static string Stage(StageView stage) => Invariant(
        $"{stage.Node}: layers {stage.FirstLayer}–{stage.FirstLayer + stage.LayerCount - 1}, {Quantity.Bytes(stage.WeightBytes)}");

    private static IEnumerable<LiveProperty> Loading(DeploymentView deployment) => deployment.Progress is { } share and < 1 && !deployment.HasEnded
        ? [new("deployment.progress", "Loaded", Invariant($"{(int)(Math.Clamp(share, 0, 1) * 100)} %"))]
        : [];

    private static LiveStateStyle StyleOf(DeploymentView deployment) => deployment switch
    {
        { IsReady: true } => LiveStateStyle.Success,
        { HasEnded: true, HasStopped: false } when deployment.State.Equals("failed", StringComparison.OrdinalIgnoreCase) => LiveStateStyle.Error,
        _ when deployment.State.Equals("degraded", StringComparison.OrdinalIgnoreCase) => LiveStateStyle.Warning,
        _ => LiveStateStyle.Info,
    };

    private static string Engines(NodeView node) => string.Join(", ", node.Engines.Select(engine =>
        engine.Available ? $"{engine.Name} {engine.Version}".Trim() : $"{engine.Name} (not available: {engine.UnavailableReason})"));

    private static string Word(string? state) =>
        string.IsNullOrEmpty(state) ? "Unknown" : char.ToUpperInvariant(state[0]) + state[1..];

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
