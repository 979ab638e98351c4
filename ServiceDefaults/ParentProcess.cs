using System.Runtime.InteropServices;

namespace ClusterLlm.ServiceDefaults;

/// <summary>The process that started this one.</summary>
internal static partial class ParentProcess
{
    /// <summary>Changes when it ends: another process takes its place. 0 on Windows, where nothing does.</summary>
    public static int Id() => OperatingSystem.IsWindows() ? 0 : GetParent();

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();
}
