using System.Collections.Immutable;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>The row of the mlx engine's Python environment, from what the agents say of their mlx engine. Pure.</summary>
internal static class PythonRow
{
    public const string Ready = "Ready";

    /// <summary>The agents say so in a sentence of their own; it is the one reason that passes by itself.</summary>
    private const string Preparing = "being prepared";

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
            _ when engine.UnavailableReason.Contains(Preparing, StringComparison.Ordinal) => ("Preparing", LiveStateStyle.Info),
            _ => ("Missing", LiveStateStyle.Warning),
        };
        return new(environment.Name, LiveResourceKind.PythonEnvironment, environment.Name)
        {
            DisplayName = environment.Name,
            State = state,
            Style = style,
            Properties =
            [
                new("python.folder", "Folder", environment.Folder),
                .. engine.Version.Length > 0 ? ImmutableArray.Create(new LiveProperty("python.version", "Version", engine.Version)) : [],
                .. engine.UnavailableReason.Length > 0 ? ImmutableArray.Create(new LiveProperty("python.reason", "Reason", engine.UnavailableReason)) : [],
            ],
        };
    }
}
