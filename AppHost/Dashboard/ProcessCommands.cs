using ClusterLlm.AppHost.Dashboard.Contract;
using ClusterLlm.AppHost.Standalone;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>What can be done with a process itself, whatever it is in the cluster. Pure.</summary>
internal static class ProcessCommands
{
    public const string Start = "start-process";
    public const string Stop = "stop-process";
    public const string Restart = "restart-process";

    public static IEnumerable<ResourceCommand> For(ProcessState state)
    {
        var ended = state is ProcessState.Stopped or ProcessState.Failed;
        yield return Command(Start, "Start", "Starts the process.", "Play", ended);
        yield return Command(Stop, "Stop", "Ends the process and leaves it stopped.", "Stop", !ended && state != ProcessState.Stopping);
        yield return Command(Restart, "Restart", "Ends the process and starts it again.", "ArrowCounterclockwise", !ended && state != ProcessState.Stopping);
    }

    /// <summary>Only what can be done now is shown, as Aspire does with its own processes.</summary>
    private static ResourceCommand Command(string name, string label, string description, string icon, bool enabled) => new()
    {
        Name = name,
        DisplayName = label,
        DisplayDescription = description,
        IconName = icon,
        IsHighlighted = true,
        State = enabled ? ResourceCommandState.Enabled : ResourceCommandState.Hidden,
    };
}
