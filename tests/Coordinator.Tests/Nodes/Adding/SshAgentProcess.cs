using System.Diagnostics;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>OpenSSH's agent with keys in it, as it runs in a person's session.</summary>
internal sealed class SshAgentProcess : IDisposable
{
    private readonly string _folder;
    private readonly Process _process;

    private SshAgentProcess(string folder, Process process) => (_folder, _process) = (folder, process);

    public string Socket => Path.Combine(_folder, "agent");

    public static async Task<SshAgentProcess> StartAsync(CancellationToken cancellationToken, params string[] keyFiles)
    {
        var folder = Directory.CreateTempSubdirectory("ssh-agent-").FullName;
        var process = Process.Start(new ProcessStartInfo("ssh-agent", ["-D", "-a", Path.Combine(folder, "agent")]) { RedirectStandardOutput = true })!;
        var agent = new SshAgentProcess(folder, process);
        // It prints the variables for a shell as soon as it listens.
        Assert.Contains("SSH_AUTH_SOCK", await process.StandardOutput.ReadLineAsync(cancellationToken), StringComparison.Ordinal);
        var start = new ProcessStartInfo("ssh-add", ["-q", .. keyFiles]) { RedirectStandardError = true };
        start.Environment["SSH_AUTH_SOCK"] = agent.Socket;
        using var adding = Process.Start(start)!;
        var said = await adding.StandardError.ReadToEndAsync(cancellationToken);
        await adding.WaitForExitAsync(cancellationToken);
        Assert.True(adding.ExitCode == 0, said);
        return agent;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
