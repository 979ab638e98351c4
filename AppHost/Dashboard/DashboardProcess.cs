using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Standalone;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>Keeps the dashboard's process running and tells how it does.</summary>
internal sealed class DashboardProcess(DashboardAddresses addresses, ProcessLog log, HttpClient http, ConsoleReporter reporter, TimeProvider time)
{
    /// <summary>
    /// The dashboard knows no parent to watch. So a shell starts it, holds this host's pipe, and ends it when the pipe closes: also when this host is killed.
    /// </summary>
    private const string HoldingShell = """
        exec 3<&0
        "$0" dashboard </dev/null & child=$!
        trap 'kill "$child" 2>/dev/null' TERM INT
        (cat <&3 >/dev/null; kill "$child" 2>/dev/null) & holder=$!
        wait "$child"; code=$?
        while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
        kill "$holder" 2>/dev/null
        exit "$code"
        """;

    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SlowStart = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    /// <summary>Before the first restart, see <see cref="RestartPolicy"/>.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Runs until cancelled.</summary>
    /// <exception cref="DashboardUnavailableException">It ended too often.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no shell to start it.</exception>
    public async Task RunAsync(string program, CancellationToken stopping)
    {
        var failures = 0;
        while (true)
        {
            var began = time.GetTimestamp();
            var code = await RunOnceAsync(program, stopping).ConfigureAwait(false);
            var decision = RestartPolicy.Decide(failures, time.GetElapsedTime(began), FirstPause);
            failures = decision.FailuresInARow;
            if (decision.Pause is not { } pause)
            {
                var last = log.Last(1) is [var line] ? $" Its last words: {line.Text.Trim()}" : "";
                throw new DashboardUnavailableException($"It ended with exit code {code}, {failures} times in a row.{last} See {log.Path}.");
            }

            reporter.Line(Lines.Row("dashboard", "restarting", string.Create(
                System.Globalization.CultureInfo.InvariantCulture, $"exit code {code}, again in {pause.TotalSeconds:0.#} s; log: {log.Path}")));
            await Task.Delay(pause, time, stopping).ConfigureAwait(false);
        }
    }

    private async Task<int> RunOnceAsync(string program, CancellationToken stopping)
    {
        using var child = ChildProcess.Start(new("/bin/sh", ["-c", HoldingShell, program], addresses.DashboardEnvironment()), log);
        var exit = child.WaitAsync(CancellationToken.None);
        try
        {
            if (await IsUpAsync(exit, stopping).ConfigureAwait(false))
            {
                reporter.Line(Lines.Row("dashboard", "running", addresses.LoginUrl));
            }

            return await exit.WaitAsync(stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            child.AskToEnd();
            await Task.WhenAny(exit, Task.Delay(StopGrace, time, CancellationToken.None)).ConfigureAwait(false);
            if (!exit.IsCompleted)
            {
                child.Kill();
            }

            throw;
        }
    }

    /// <summary>Whether its page answers before it ends; one that is slow is told once and waited for.</summary>
    private async Task<bool> IsUpAsync(Task exit, CancellationToken stopping)
    {
        var began = time.GetTimestamp();
        var told = false;
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(200), time);
        while (!exit.IsCompleted && await pause.WaitForNextTickAsync(stopping).ConfigureAwait(false))
        {
            if (await AnswersAsync(stopping).ConfigureAwait(false))
            {
                return true;
            }

            if (!told && time.GetElapsedTime(began) >= SlowStart)
            {
                told = true;
                reporter.Line(Lines.Row("dashboard", "starting", string.Create(
                    System.Globalization.CultureInfo.InvariantCulture, $"no answer for {SlowStart.TotalSeconds:0} s yet; log: {log.Path}")));
            }
        }

        return false;
    }

    private async Task<bool> AnswersAsync(CancellationToken stopping)
    {
        using var limit = new CancellationTokenSource(AnswerLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            using var answer = await http.GetAsync(new Uri(addresses.FrontendUrl + "/login"), either.Token).ConfigureAwait(false);
            return true;
        }
        catch (HttpRequestException)
        {
            // Not listening yet.
            return false;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Listening, and too busy to answer.
            return false;
        }
    }
}
