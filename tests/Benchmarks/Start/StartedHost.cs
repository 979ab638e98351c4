using System.Diagnostics;
using ClusterLlm.AppHost.Standalone;

namespace ClusterLlm.Benchmarks.Start;

/// <summary>The AppHost by <c>dotnet run --no-build</c>, as a person starts it again, with the moment of each line that it prints.</summary>
internal sealed class StartedHost : IAsyncDisposable
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly string _home;
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly Lock _gate = new();
    private readonly List<(TimeSpan At, string Text)> _lines = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private StartedHost(Process process, string home)
    {
        _process = process;
        _home = home;
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The host's own process, below <c>dotnet run</c>.</summary>
    public int Pid => RunRecord.TryRead(_home)?.Pid ?? throw new InvalidOperationException("The host has not said who it is.");

    /// <param name="repository">Folder that holds <c>AppHost</c>, built in this program's configuration.</param>
    public static StartedHost Start(string repository, string home, params string[] settings)
    {
        string[] arguments = ["run", "--no-build", "-c", "Release", "--project", Path.Join(repository, "AppHost"), "--", "--AppHost:HttpPort=0", "--AppHost:GrpcPort=0", "--AppHost:AgentPort=0", "--AppHost:Standalone=true", .. settings];
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = repository,
        };
        start.Environment["CLUSTERLLM_HOME"] = home;
        return new(Process.Start(start)!, home);
    }

    /// <summary>When the host first printed a line that begins so, from the start of <c>dotnet run</c>.</summary>
    /// <exception cref="InvalidOperationException">It ended before, or the limit has passed; says what it printed.</exception>
    public async Task<TimeSpan> WhenAsync(string prefix, TimeSpan limit)
    {
        var over = Task.Delay(limit, TimeProvider.System, CancellationToken.None);
        while (true)
        {
            Task more;
            lock (_gate)
            {
                if (_lines.FirstOrDefault(line => line.Text.StartsWith(prefix, StringComparison.Ordinal)) is { Text: not null } found)
                {
                    return found.At;
                }

                more = _more.Task;
            }

            if (await Task.WhenAny(more, over, _process.WaitForExitAsync()) != more && !more.IsCompleted)
            {
                throw new InvalidOperationException($"The host did not say \"{prefix}\" within {limit.TotalSeconds:0} s. It said:\n{this}");
            }
        }
    }

    public override string ToString()
    {
        lock (_gate)
        {
            return string.Join('\n', _lines.Select(line => line.Text));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var terminate = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            await terminate.WaitForExitAsync();
        }

        using var limit = new CancellationTokenSource(EndLimit);
        await _process.WaitForExitAsync(limit.Token);
        _process.Dispose();
    }

    private void Add(string? text)
    {
        if (text is null)
        {
            return;
        }

        lock (_gate)
        {
            _lines.Add((Stopwatch.GetElapsedTime(_began), text));
            _more.TrySetResult();
            _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
