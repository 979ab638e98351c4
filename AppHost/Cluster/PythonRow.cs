using System.Collections.Immutable;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>The row of the mlx engine's Python environment, from what the agents say of their mlx engine. Pure.</summary>
internal static class PythonRow
{
    public const string Ready = "Ready";

    /// <summary>Begins the name of each of its properties.</summary>
    public const string Prefix = "python.";

    private const string Being = "Preparing";
    private const string Missing = "Missing";
    private const string Reason = Prefix + "reason";

    /// <summary>Every state that it can have.</summary>
    public static ImmutableArray<string> States { get; } = [Ready, Being, Missing];

    /// <summary>The agents say so in a sentence of their own; it is the one reason that passes by itself.</summary>
    private const string Preparing = "being prepared";

    /// <summary>Why MLX can't be used, in the agents' words; null when it can.</summary>
    public static string? ReasonOf(LiveResource row) => row.Properties.FirstOrDefault(property => property.Name == Reason)?.Value;

    /// <summary>Null until an agent has said anything.</summary>
    public static LiveResource? From(PythonEnvironment environment, ClusterView view)
    {
        var engines = environment.Agents
            .Select(agent => view.Node(agent)?.Engines.FirstOrDefault(engine => engine.Name == PythonEnvironment.Engine))
            .OfType<EngineView>()
            .ToArray();
        if (engines.Length == 0)
        {
            return null;
        }

        var engine = engines.FirstOrDefault(each => each.Available) ?? engines[0];
        var (state, style) = engine switch
        {
            { Available: true } => (Ready, LiveStateStyle.Success),
            _ when engine.UnavailableReason.Contains(Preparing, StringComparison.Ordinal) => (Being, LiveStateStyle.Info),
            _ => (Missing, LiveStateStyle.Warning),
        };
        return new(environment.Name, LiveResourceKind.PythonEnvironment, environment.Name)
        {
            DisplayName = environment.Name,
            State = state,
            Style = style,
            Properties =
            [
                new(Prefix + "folder", "Folder", environment.Folder),
                .. engine.Version.Length > 0 ? ImmutableArray.Create(new LiveProperty(Prefix + "version", "Version", engine.Version)) : [],
                .. engine.UnavailableReason.Length > 0 ? ImmutableArray.Create(new LiveProperty(Reason, "Reason", engine.UnavailableReason)) : [],
            ],
        };
    }
}
