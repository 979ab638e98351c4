using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.Integration.Security;

/// <summary>A Coordinator, an agent or one of the Coordinator's commands, as a process on one of the network's hosts.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly Lock _gate = new();
    private readonly Task _reading;
    private bool _disposed;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HostProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <summary>Of the program itself: <c>ip netns exec</c> becomes it.</summary>
    public int Pid => _process.Id;

    public string Output
    {
        get
        {
            lock (_gate)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <param name="host">The namespace.</param>
    /// <param name="project">Coordinator or NodeAgent.</param>
    /// <param name="environment">On top of the usual.</param>
    public static HostProcess Start(string host, string project, string home, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var assembly = BuildFacts.Read().Outputs[project];
        var start = new ProcessStartInfo("ip", ["netns", "exec", host, "dotnet", assembly, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = home,
        };
        start.Environment["CLUSTERLLM_HOME"] = home;
        start.Environment["CLUSTERLLM_PARENT"] = "stdin";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new HostProcess(Process.Start(start)!);
    }

    /// <summary>Waits for a line that holds <paramref name="part"/>, and returns it.</summary>
    public async Task<string> WaitForLineAsync(string part, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task more;
            lock (_gate)
            {
                if (_lines.Find(line => line.Contains(part, StringComparison.Ordinal)) is { } line)
                {
                    return line;
                }

                more = _more.Task;
            }

            var first = await Task.WhenAny(more, _process.WaitForExitAsync(cancellationToken)).WaitAsync(cancellationToken);
            if (first != more && !more.IsCompleted)
            {
                Assert.Fail($"The process ended with {_process.ExitCode} before it said \"{part}\":\n{Output}");
            }
        }
    }

    /// <summary>The addresses of its ready file, once it is there.</summary>
    public async Task<JsonElement> WaitForReadyFileAsync(string path, string lastLine, CancellationToken cancellationToken)
    {
        await WaitForLineAsync(lastLine, cancellationToken);
        return JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(path, cancellationToken));
    }

    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        await _reading;
        return _process.ExitCode;
    }

    /// <summary>What other users of the machine could see of it.</summary>
    public string CommandLine() => File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{Pid}/cmdline")).Replace('\0', ' ');

    public string EnvironmentText() => File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{Pid}/environ")).Replace('\0', '\n');

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync();
        }

        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            TaskCompletionSource more;
            lock (_gate)
            {
                _lines.Add(line);
                more = _more;
                _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            more.SetResult();
        }
    }
}
