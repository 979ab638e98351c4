using System.ComponentModel;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>Keeps one process of the topology running: waits for what it depends on, starts it, and starts it again when it ends unasked.</summary>
internal sealed class ProcessSupervisor(
    ProcessResource resource,
    LaunchResolver resolver,
    ProcessTable table,
    ProcessLog log,
    RunWatch watch,
    TimeProvider time)
{
    private int _failures;

    public string Name => resource.Name;

    public ProcessLog Log => log;

    /// <summary>Runs until <paramref name="stopping"/> asks it to end the process, or until it gives up on it.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        _failures = 0;
        try
        {
            while (await RunOnceAsync(stopping).ConfigureAwait(false) is { } pause)
            {
                await Task.Delay(pause, time, stopping).ConfigureAwait(false);
                table.Update(Name, old => old with { Restarts = old.Restarts + 1 });
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            table.Update(Name, old => old with { State = ProcessState.Stopped, Pid = null, Detail = "" });
        }
    }

    /// <summary>One start and what became of it: the pause before the next one, or null when there is none.</summary>
    private async Task<TimeSpan?> RunOnceAsync(CancellationToken stopping)
    {
        var references = await WaitForDependenciesAsync(stopping).ConfigureAwait(false);
        var ports = new Dictionary<string, int>();
        foreach (var endpoint in resource.Endpoints)
        {
            var choice = PortPolicy.Choose(endpoint, EarlierPort(endpoint.Name), LoopbackPort.IsFree);
            if (choice.Problem is { } problem)
            {
                return Fail(problem);
            }

            ports[endpoint.Name] = choice.Port;
        }

        ChildProcess child;
        try
        {
            File.Delete(resolver.ReadyFilePath(resource));
            child = ChildProcess.Start(resolver.Resolve(resource, ports, references), log);
        }
        catch (Exception failure) when (failure is Win32Exception or IOException or UnauthorizedAccessException)
        {
            return Fail($"It could not be started: {failure.Message}");
        }

        using (child)
        {
            var startedAt = time.GetUtcNow();
            table.Update(Name, old => old with { State = ProcessState.Starting, Pid = child.Pid, StartedAt = startedAt, Detail = "" });
            var end = await watch.FollowAsync(resource, child, references, stopping).ConfigureAwait(false);
            return Decide(end, time.GetUtcNow() - startedAt);
        }
    }

    private async Task<IReadOnlyDictionary<string, string>> WaitForDependenciesAsync(CancellationToken stopping)
    {
        foreach (var dependency in resource.WaitFor)
        {
            if (table.Current[dependency].State != ProcessState.Healthy)
            {
                table.Update(Name, old => old with { State = ProcessState.Waiting, Pid = null, Detail = $"for {dependency}" });
            }

            await table.WaitForAsync(dependency, snapshot => snapshot.State == ProcessState.Healthy, stopping).ConfigureAwait(false);
        }

        return LaunchResolver.References(resource, table.Current)
            ?? throw new InvalidOperationException($"{Name} refers to an address of a process that it does not wait for.");
    }

    /// <summary>Others were told this port, so it is taken again when it can be.</summary>
    private int? EarlierPort(string endpoint) =>
        table.Current[Name].Urls.TryGetValue(endpoint, out var url) ? new Uri(url).Port : null;

    private TimeSpan? Decide(RunEnd end, TimeSpan lasted)
    {
        if (end.Asked)
        {
            table.Update(Name, old => old with { State = ProcessState.Restarting, Pid = null, ExitCode = end.ExitCode, Detail = end.Reason });
            return TimeSpan.Zero;
        }

        var decision = RestartPolicy.Decide(_failures, lasted, watch.Options.FirstRestartPause);
        _failures = decision.FailuresInARow;
        var told = $"exit code {end.ExitCode}{(end.Reason.Length == 0 ? "" : $" ({end.Reason})")}";
        if (decision.Pause is not { } pause)
        {
            table.Update(Name, old => old with { ExitCode = end.ExitCode });
            return Fail($"{told}, {_failures} times in a row");
        }

        table.Update(Name, old => old with
        {
            State = ProcessState.Restarting,
            Pid = null,
            ExitCode = end.ExitCode,
            Detail = $"{told}, again in {pause.TotalSeconds:0.#} s",
        });
        return pause;
    }

    private TimeSpan? Fail(string reason)
    {
        table.Update(Name, old => old with { State = ProcessState.Failed, Pid = null, Detail = reason });
        return null;
    }
}
