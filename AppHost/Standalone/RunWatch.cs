using System.Collections.Immutable;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>Follows one run of a process from its start to its end: does it listen, is it well, must it end.</summary>
internal sealed class RunWatch(LaunchResolver resolver, ProcessTable table, HealthClient health, SupervisorOptions options, TimeProvider time)
{
    public SupervisorOptions Options => options;

    /// <summary>Completes when the run is over; a stop asked for by <paramref name="stopping"/> throws once the process has ended.</summary>
    public async Task<RunEnd> FollowAsync(
        ProcessResource resource,
        ChildProcess child,
        IReadOnlyDictionary<string, string> references,
        CancellationToken stopping)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var exit = child.WaitAsync(CancellationToken.None);
        var life = FollowLifeAsync(resource, child, over.Token);
        var moved = WaitForMovedReferenceAsync(resource, references, over.Token);
        var first = await Task.WhenAny(exit, life, moved).ConfigureAwait(false);
        if (first == exit && !stopping.IsCancellationRequested)
        {
            await over.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(life, moved)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return new(await exit.ConfigureAwait(false), Asked: false, "");
        }

        // The reason is read before the other watches are cancelled, which would look like a stop.
        var reason = stopping.IsCancellationRequested ? "" : await (first == life ? life : moved).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        var code = await EndAsync(resource.Name, child, exit).ConfigureAwait(false);
        await ((Task)Task.WhenAll(life, moved)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stopping.IsCancellationRequested)
        {
            table.Update(resource.Name, old => old with { ExitCode = code });
            throw new OperationCanceledException(stopping);
        }

        return new(code, Asked: first == moved, reason);
    }

    /// <summary>Waits until it listens, then checks its health for ever. Returns only with a reason to end it.</summary>
    private async Task<string> FollowLifeAsync(ProcessResource resource, ChildProcess child, CancellationToken cancellationToken)
    {
        var urls = await WaitForReadyFileAsync(resource, child, cancellationToken).ConfigureAwait(false);
        if (urls is null)
        {
            return $"it did not listen within {options.StartLimit.TotalSeconds:0} s";
        }

        table.Update(resource.Name, old => old with { State = ProcessState.Running, Urls = urls });
        var url = urls[resource.HealthEndpoint] + resource.HealthPath;
        while (true)
        {
            var problem = await health.CheckAsync(url, cancellationToken).ConfigureAwait(false);
            table.Update(resource.Name, old => old with
            {
                State = problem is null ? ProcessState.Healthy : ProcessState.Running,
                Detail = problem ?? "",
            });
            var pause = problem is null ? options.HealthInterval : options.FirstHealthInterval;
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ImmutableSortedDictionary<string, string>?> WaitForReadyFileAsync(
        ProcessResource resource,
        ChildProcess child,
        CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < options.StartLimit)
        {
            if (ReadyFile.TryRead(resolver.ReadyFilePath(resource), child.Pid) is { } urls)
            {
                return urls;
            }

            await Task.Delay(options.ReadyInterval, time, cancellationToken).ConfigureAwait(false);
        }

        return null;
    }

    /// <summary>Completes with the reason when an address that this run was told is no longer the right one.</summary>
    private async Task<string> WaitForMovedReferenceAsync(
        ProcessResource resource,
        IReadOnlyDictionary<string, string> told,
        CancellationToken cancellationToken)
    {
        await foreach (var _ in table.WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            var now = LaunchResolver.References(resource, table.Current);
            if (now is not null && told.Any(entry => now[entry.Key] != entry.Value))
            {
                return "an address that it uses has changed";
            }
        }

        throw new OperationCanceledException(cancellationToken);
    }

    private async Task<int> EndAsync(string name, ChildProcess child, Task<int> exit)
    {
        table.Update(name, old => old with { State = ProcessState.Stopping, Detail = "" });
        if (!exit.IsCompleted)
        {
            child.AskToEnd();
            await Task.WhenAny(exit, Task.Delay(options.StopGrace, time, CancellationToken.None)).ConfigureAwait(false);
        }

        if (!exit.IsCompleted)
        {
            child.Kill();
        }

        return await exit.ConfigureAwait(false);
    }
}

/// <summary>How a run ended.</summary>
/// <param name="Asked">True when it was ended on purpose, to be started again with other settings.</param>
/// <param name="Reason">Why it was ended; empty when it ended by itself.</param>
internal readonly record struct RunEnd(int ExitCode, bool Asked, string Reason);
