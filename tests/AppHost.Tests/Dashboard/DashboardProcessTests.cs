using System.Collections.Concurrent;
using System.Text;
using ClusterLlm.AppHost.Dashboard;
using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Tests.Standalone;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.AppHost.Tests.Dashboard;

/// <summary>A dashboard that is a script of the test.</summary>
public sealed class DashboardProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("clusterllm-dashboard-").FullName;
    private readonly StringWriter _output = new();
    private readonly ProcessLog _log;
    private readonly HttpClient _http = new();

    public DashboardProcessTests() => _log = new(Path.Join(_folder, "dashboard.log"), mostBytes: 1_000_000);

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_EndsEachTime_IsToldEachTimeAndGivenUpWithItsLastWords()
    {
        var program = Script("echo 'Failed to bind to address'; exit 7");

        var failure = await Assert.ThrowsAsync<DashboardUnavailableException>(
            () => Dashboard().RunAsync(program, TestContext.Current.CancellationToken));

        Assert.Equal(
            $"It ended with exit code 7, {RestartPolicy.MostAttempts + 1} times in a row. Its last words: Failed to bind to address See {_log.Path}.",
            failure.Message);
        var told = _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(RestartPolicy.MostAttempts, told.Length);
        Assert.All(told, line => Assert.StartsWith("dashboard    restarting exit code 7, again in ", line, StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_Stopped_EndsTheProgram()
    {
        var token = TestContext.Current.CancellationToken;
        var pidFile = Path.Join(_folder, "pid");
        var program = Script($"echo $$ > '{pidFile}.new'; mv '{pidFile}.new' '{pidFile}'; echo up; exec sleep 1000");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var running = Dashboard().RunAsync(program, stop.Token);
        await foreach (var line in _log.FollowAsync(token))
        {
            Assert.Equal("up", line.Text);
            break;
        }

        var pid = int.Parse(await File.ReadAllTextAsync(pidFile, token));
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Throws<ArgumentException>(() => System.Diagnostics.Process.GetProcessById(pid));
    }

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_DoesNotAnswerFor30Seconds_IsToldOnceAndWaitedFor()
    {
        var token = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        using var output = new LineQueue();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var running = Dashboard(output, time).RunAsync(Script("exec sleep 1000"), stop.Token);

        while (output.Lines.IsEmpty)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            token.ThrowIfCancellationRequested();
        }

        for (var second = 0; second < 60; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.False(running.IsCompleted);
        await stop.CancelAsync();
        var ended = Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        while (!ended.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            token.ThrowIfCancellationRequested();
        }

        await ended;
        Assert.Equal([$"dashboard    starting   no answer for 30 s yet; log: {_log.Path}"], output.Lines);
    }

    [Fact]
    public void PortProblem_SetPortIsTaken_SaysWhatToSet()
    {
        using var taken = TakenPort.Take();

        Assert.Equal(
            $"Port {taken.Port} (AppHost:DashboardPort) is in use. End what listens there, set AppHost:DashboardPort to another port, or leave it out to have one chosen.",
            DashboardAddresses.PortProblem(taken.Port, LoopbackPort.IsFree));
        Assert.Null(DashboardAddresses.PortProblem(null, _ => false));
        Assert.Null(DashboardAddresses.PortProblem(0, _ => false));
    }

    public void Dispose()
    {
        _http.Dispose();
        _log.Dispose();
        _output.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private DashboardProcess Dashboard() => Dashboard(_output, TimeProvider.System);

    private DashboardProcess Dashboard(TextWriter output, TimeProvider time) =>
        new(DashboardAddresses.Choose(0), _log, _http, new ConsoleReporter(output, isTerminal: false), time) { FirstPause = TimeSpan.FromMilliseconds(1) };

    private string Script(string body)
    {
        var path = Path.Join(_folder, "aspire-managed");
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return path;
    }

    /// <summary>Lines as they are written, for a reader on another thread.</summary>
    private sealed class LineQueue : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public ConcurrentQueue<string> Lines { get; } = new();

        public override void WriteLine(string? value) => Lines.Enqueue(value ?? "");
    }
}
