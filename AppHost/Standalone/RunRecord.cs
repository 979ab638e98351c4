using System.Diagnostics;
using System.Text.Json;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>What a host leaves beside its lock: who it is, for a second host's message, and its children, for the next host after a crash.</summary>
/// <param name="Pid">Of the host.</param>
/// <param name="Url">The cluster's HTTP address; empty until it is known.</param>
/// <param name="Children">Pids of the processes it runs.</param>
internal sealed record RunRecord(int Pid, string Url, IReadOnlyList<int> Children)
{
    public static string PathIn(string home) => Path.Join(home, "run", "apphost.json");

    public void Write(string home)
    {
        var temporary = PathIn(home) + ".new";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this));
        File.Move(temporary, PathIn(home), overwrite: true);
    }

    /// <summary>Null when there is none or it is damaged: nothing depends on it but a better message.</summary>
    public static RunRecord? TryRead(string home)
    {
        try
        {
            return JsonSerializer.Deserialize<RunRecord>(File.ReadAllText(PathIn(home)));
        }
        catch (Exception unreadable) when (unreadable is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Children of a host that was killed end by themselves; this waits for it, and ends those that do not within <paramref name="limit"/>.</summary>
    /// <param name="programs">File names of the cluster's programs: a pid that runs anything else was given to a stranger since.</param>
    public async Task EndLeftoversAsync(IReadOnlySet<string> programs, TimeSpan limit, CancellationToken cancellationToken)
    {
        foreach (var pid in Children)
        {
            using var process = Find(pid);
            if (process is null || !programs.Contains(ProgramOf(process)))
            {
                continue;
            }

            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(limit);
            try
            {
                await process.WaitForExitAsync(deadline.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static Process? Find(int pid)
    {
        try
        {
            return Process.GetProcessById(pid);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string ProgramOf(Process process)
    {
        try
        {
            return Path.GetFileName(process.MainModule?.FileName ?? "");
        }
        catch (Exception gone) when (gone is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return "";
        }
    }
}
