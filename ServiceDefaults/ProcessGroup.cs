using System.Runtime.InteropServices;

namespace ClusterLlm.ServiceDefaults;

/// <summary>Which processes a terminal's Ctrl+C reaches.</summary>
internal static partial class ProcessGroup
{
    /// <summary>
    /// Puts this process into a group of its own. Ctrl+C goes to the whole group in the foreground: without this, a supervised process would stop at the same
    /// moment as its supervisor, before those that still need it. A failure leaves things so, which both sides bear.
    /// </summary>
    public static void Separate()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetProcessGroup(0, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setpgid")]
    private static partial int SetProcessGroup(int pid, int group);
}
