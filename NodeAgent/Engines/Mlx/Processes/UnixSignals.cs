using System.Runtime.InteropServices;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Processes;

/// <summary>Sends SIGTERM, which .NET's <c>Process</c> can't: a killed process that holds wired GPU memory may strand it until the next boot.</summary>
internal static partial class UnixSignals
{
    private const int Terminate = 15;

    /// <returns>False when there is no such process any more.</returns>
    public static bool RequestEnd(int processId) => Kill(processId, Terminate) == 0;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
