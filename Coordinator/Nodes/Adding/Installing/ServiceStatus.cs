namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>How the system's service manager sees the node. Pure.</summary>
/// <param name="IsRunning">A process runs.</param>
/// <param name="Text">For people.</param>
internal sealed record ServiceStatus(bool IsRunning, string Text)
{
    // launchd's answers: not loaded; killed by code signing, by memory pressure or by hand.
    private const int NotLoaded = 113;

    /// <param name="service">As <c>node.sh</c> names it.</param>
    /// <returns>The command, or <see langword="null"/> where there is no service manager to ask.</returns>
    public static string? Command(string service, string root) => service switch
    {
        "launchd-daemon" => "/bin/launchctl print system/org.clusterllm.node",
        "launchd-agent" => "/bin/launchctl print gui/$(id -u)/org.clusterllm.node || /bin/launchctl print user/$(id -u)/org.clusterllm.node",
        "systemd" => "systemctl show clusterllm-node.service -p ActiveState -p SubState -p ExecMainStatus",
        "systemd-user" => "systemctl --user show clusterllm-node.service -p ActiveState -p SubState -p ExecMainStatus",
        "process" => $"p=$(cat {ShellText.Quote($"{root}/run/loop.pid")}) && kill -0 \"$p\" && echo running",
        _ => null,
    };

    public static ServiceStatus Read(string service, int exitCode, string output) => service switch
    {
        "launchd-daemon" or "launchd-agent" => exitCode == NotLoaded ? new(false, "launchd has not loaded it") : ReadLaunchd(output),
        "systemd" or "systemd-user" => ReadSystemd(output),
        _ => output.Contains("running", StringComparison.Ordinal) ? new(true, "its loop runs") : new(false, "its loop does not run"),
    };

    /// <summary>
    /// <c>launchctl print</c>: only lines that begin with one tab are the job's own, nested blocks repeat the keys.
    /// <code>
    /// 	state = running
    /// 	pid = 383
    /// 	last exit code = (never exited)
    /// </code>
    /// A signal line comes in place of the exit code; a job that is idle has no pid line.
    /// </summary>
    private static ServiceStatus ReadLaunchd(string output)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in output.Split('\n'))
        {
            if (line.Length > 1 && line[0] == '\t' && line[1] != '\t' && line.Split(" = ", 2) is [var key, var value])
            {
                fields.TryAdd(key.Trim(), value.Trim());
            }
        }

        var state = fields.GetValueOrDefault("state", "unknown");
        string[] parts =
        [
            $"launchd says {state}",
            .. fields.TryGetValue("runs", out var runs) && runs != "1" ? [$"started {runs} times"] : Array.Empty<string>(),
            .. fields.TryGetValue("last exit code", out var code) && code != "(never exited)" ? [$"last exit code {code}"] : Array.Empty<string>(),
            .. fields.TryGetValue("last terminating signal", out var signal) ? [$"ended by {signal}{Meaning(signal)}"] : Array.Empty<string>(),
        ];
        return new(state == "running", string.Join(", ", parts));
    }

    private static string Meaning(string signal) =>
        signal.StartsWith("Killed", StringComparison.Ordinal) ? " (macOS does this to programs without a valid signature, and when memory runs out)" : "";

    private static ServiceStatus ReadSystemd(string output)
    {
        var fields = NodeScript.ReadAnswer(output);
        var state = fields.GetValueOrDefault("ActiveState", "unknown");
        return new(
            state == "active",
            $"systemd says {state} ({fields.GetValueOrDefault("SubState", "unknown")})"
                + (fields.GetValueOrDefault("ExecMainStatus", "0") is var code && code != "0" ? $", last exit code {code}" : ""));
    }
}
