using System.Threading.Channels;
using ClusterLlm.Coordinator.Deployments.FailedPlans;
using ClusterLlm.Coordinator.Nodes;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Brings what is to what should be: asks the reconciler after every change, and does what it says, one step per deployment at a time.</summary>
internal sealed partial class DeploymentWorker(
    DeploymentRegistry deployments,
    NodeRegistry nodes,
    ShardRegistry shards,
    DeploymentSteps steps,
    PlanFailures failures,
    IOptions<DeploymentsOptions> options,
    TimeProvider time,
    ILogger<DeploymentWorker> logger) : BackgroundService
{
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<string, Step> _steps = new(StringComparer.Ordinal);
    private DateTimeOffset _startedAt;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await failures.LoadAsync(cancellationToken);
        await deployments.LoadAsync(cancellationToken);
        _startedAt = time.GetUtcNow();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var changedDeployments = deployments.Subscribe();
        using var changedNodes = nodes.Subscribe();
        using var changedShards = shards.Subscribe();
        await using var timer = time.CreateTimer(_ => Wake(), null, options.Value.Interval, options.Value.Interval);
        Task[] wakers =
        [
            WakeOnAsync(changedDeployments.ChangesAsync(end.Token)),
            WakeOnAsync(changedNodes.ChangesAsync(end.Token)),
            WakeOnAsync(changedShards.ChangesAsync(end.Token)),
        ];
        Wake();
        try
        {
            await foreach (var _ in _wake.Reader.ReadAllAsync(stoppingToken))
            {
                await RunOnceAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll([.. wakers, .. _steps.Values.Select(step => step.Task)]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        foreach (var (id, done) in _steps.Where(step => step.Value.Done).ToArray())
        {
            await done.Task;
            done.End.Dispose();
            _steps.Remove(id);
        }

        var actual = ActualState.From(nodes.Current, shards.Current, _startedAt);
        var now = time.GetUtcNow();
        foreach (var deployment in deployments.Current.Values)
        {
            if (_steps.TryGetValue(deployment.Id, out var running))
            {
                // A delete or a restart doesn't wait for a launch that nobody wants any more.
                if (deployment.Wanted != running.Wanted)
                {
                    await running.End.CancelAsync();
                }

                continue;
            }

            var actions = Reconciler.Decide(deployment, actual, options.Value, now);
            if (!actions.IsEmpty && actions[0] is not DeploymentAction.Wait)
            {
                Begin(deployment.Id, deployment.Wanted, end => steps.RunAsync(deployment, actions, end), cancellationToken);
            }
        }

        var proven = deployments.Current.Values.Where(deployment => deployment.IsProven(now)).Select(deployment => deployment.Plan?.PlanFingerprint).ToHashSet();
        await failures.ForgetAsync(failure => proven.Contains(failure.Fingerprint), cancellationToken);
        await ForgetOldAsync(cancellationToken);
    }

    private async Task ForgetOldAsync(CancellationToken cancellationToken)
    {
        var old = deployments.Current.Values.Where(deployment => deployment.State == DeploymentState.Stopped)
            .OrderByDescending(deployment => deployment.StateSince)
            .Skip(options.Value.StoppedKept);
        foreach (var deployment in old)
        {
            await deployments.RemoveAsync(deployment.Id, cancellationToken);
        }
    }

    private void Begin(string key, bool wanted, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        var step = new Step(wanted, CancellationTokenSource.CreateLinkedTokenSource(cancellationToken));
        _steps.Add(key, step);
        step.Task = GuardAsync(key, step, work);
    }

    // One deployment's bad step must not end the care for all the others.
    private async Task GuardAsync(string key, Step step, Func<CancellationToken, Task> work)
    {
        var end = step.End.Token;
        try
        {
            await work(end);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            LogStepFailed(e, key);
            await Task.Delay(options.Value.Interval, time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            step.Done = true;
            Wake();
        }
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private async Task WakeOnAsync<T>(IAsyncEnumerable<T> changes)
    {
        await foreach (var _ in changes)
        {
            Wake();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A step of deployment {Id} failed; it is tried again.")]
    private partial void LogStepFailed(Exception exception, string id);

    private sealed class Step(bool wanted, CancellationTokenSource end)
    {
        private volatile bool _done;

        /// <summary>Whether the deployment was wanted when the step began.</summary>
        public bool Wanted { get; } = wanted;

        public CancellationTokenSource End { get; } = end;

        public Task Task { get; set; } = Task.CompletedTask;

        /// <summary>Set before the worker is woken for the last time by this step.</summary>
        public bool Done
        {
            get => _done;
            set => _done = value;
        }
    }
}
