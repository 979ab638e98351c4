using ClusterLlm.AppHost.Commands;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>How the kinds of rows look in the dashboard, and what can be done with them. Pure.</summary>
internal static class LiveLook
{
    public static string TypeOf(LiveResourceKind kind) => kind == LiveResourceKind.PythonEnvironment ? "Python environment" : kind.ToString();

    /// <summary>Of the Fluent UI set.</summary>
    public static string IconOf(LiveResourceKind kind) => kind switch
    {
        LiveResourceKind.Node => "Desktop",
        LiveResourceKind.Deployment => "BrainCircuit",
        _ => "CodePy",
    };

    public static IEnumerable<CommandDescription> CommandsOf(LiveResourceKind kind) => kind switch
    {
        LiveResourceKind.Node => ClusterCommands.For(CommandTarget.Node),
        LiveResourceKind.Deployment => ClusterCommands.For(CommandTarget.Deployment),
        _ => [],
    };
}
