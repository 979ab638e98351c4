using System.Collections.Concurrent;
using System.Threading.Channels;
using ClusterLlm.Coordinator.Comparisons.Sharing;
using ClusterLlm.Coordinator.Comparisons.Storage;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>Runs the queued comparisons, one at a time: two at once would measure each other.</summary>
internal sealed partial class ComparisonWorker(
    ComparisonRegistry registry, ComparisonRunner runner, CandidateDeployments deployments, TimeProvider time, ILogger<ComparisonWorker> logger) : BackgroundService
{
    private readonly Channel<string> _queue = Channel.CreateUnbounded<string>();
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _ends = new(StringComparer.Ordinal);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await registry.LoadAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Keeps the comparison and runs it when those before it are done.</summary>
    public async Task<ComparisonRecord> QueueAsync(ComparisonSpec spec, CancellationToken cancellationToken)
    {
        var record = new ComparisonRecord(
            $"cmp-{Guid.NewGuid():N}"[..16], time.GetUtcNow(), spec, ComparisonState.Queued, null, null, null, null, [], [], [], [], null, null, [], []);
        _ends[record.Id] = new CancellationTokenSource();
        await registry.SaveAsync(record, cancellationToken);
        await _queue.Writer.WriteAsync(record.Id, cancellationToken);
        return record;
    }

    /// <summary>Ends a comparison that is queued or runs; one that is over is forgotten.</summary>
    /// <returns>The comparison while it ends; <see langword="null"/> when it was forgotten.</returns>
    public async Task<ComparisonRecord?> EndAsync(ComparisonRecord record, CancellationToken cancellationToken)
    {
        if (record.IsOver)
        {
            await registry.RemoveAsync(record.Id, cancellationToken);
            return null;
        }

        if (_ends.TryGetValue(record.Id, out var end))
        {
            await end.CancelAsync();
        }

        return record;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await deployments.StopLeftoversAsync(stoppingToken);
            await foreach (var id in _queue.Reader.ReadAllAsync(stoppingToken))
            {
                if (_ends.TryRemove(id, out var end))
                {
                    using (end)
                    {
                        _ends[id] = end;
                        await RunAsync(id, end.Token, stoppingToken);
                        _ends.TryRemove(id, out _);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RunAsync(string id, CancellationToken ended, CancellationToken stoppingToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ended, stoppingToken);
        var run = new ComparisonRun(registry.Find(id)!, registry.SaveAsync);
        LogStarted(id, run.Record.Spec.Model);
        try
        {
            await runner.RunAsync(run, either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            var (state, reason) = ended.IsCancellationRequested ? (ComparisonState.Cancelled, "It was ended.") : (ComparisonState.Interrupted, "The Coordinator was stopped.");
            await EndAsync(run, state, reason);
        }
        catch (Exception e)
        {
            LogFailed(id, e);
            await EndAsync(run, ComparisonState.Failed, e.Message);
        }

        if (run.Record.State == ComparisonState.Completed)
        {
            await run.ChangeAsync(record => record with { Regressions = RegressionCheck.Of(record, registry.All) }, CancellationToken.None);
        }

        LogEnded(id, run.Record.State, run.Record.Verdict?.Headline ?? run.Record.Reason ?? "-");
    }

    /// <summary>Whatever happened, clients see an end, and the Coordinator goes on: without a verdict where judging or keeping it is what failed.</summary>
    private async Task EndAsync(ComparisonRun run, ComparisonState state, string reason)
    {
        ComparisonRecord Ended(ComparisonRecord record) => record with { State = state, Reason = reason, EndedAt = time.GetUtcNow(), Progress = null };
        try
        {
            await run.ChangeAsync(record => Ended(ComparisonRunner.Judged(record)), CancellationToken.None);
        }
        catch (Exception e)
        {
            LogFailed(run.Record.Id, e);
            await run.ChangeAsync(record => Ended(record with { Verdict = null }), CancellationToken.None);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Comparison {Id} of {Model} begins.")]
    private partial void LogStarted(string id, string model);

    [LoggerMessage(Level = LogLevel.Information, Message = "Comparison {Id} is {State}: {Headline}")]
    private partial void LogEnded(string id, ComparisonState state, string headline);

    [LoggerMessage(Level = LogLevel.Error, Message = "Comparison {Id} has failed.")]
    private partial void LogFailed(string id, Exception exception);
}
