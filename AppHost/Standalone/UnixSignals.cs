using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>The two system calls that .NET has no name for.</summary>
internal static partial class UnixSignals
{
    private const int Terminate = 15;
    private const int NoSuchProcess = 3;

    /// <summary>Asks a process to end. One that is gone already is fine.</summary>
    public static void SendTerminate(int pid)
    {
        if (Kill(pid, Terminate) != 0 && Marshal.GetLastPInvokeError() is var error && error != NoSuchProcess)
        {
            throw new Win32Exception(error, $"Process {pid} could not be asked to end: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    /// <summary>The process that started this one, or 1 (or a subreaper) once that is gone.</summary>
    public static int ParentPid() => GetParentPid();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParentPid();
}
