using ClusterLlm.NodeAgent.Engines.Builtin.Model;
using ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;
using ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;
using ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

namespace ClusterLlm.NodeAgent.Engines.Builtin;

/// <summary>A stage that runs here: its queues, its thread, the stream to the next stage, and on rank 0 the scheduler.</summary>
internal sealed partial class BuiltinShard : IShard, IStageEndpoint
{
    /// <summary>Work that may wait before a stage and behind it: enough to keep it busy, few enough that a slow stage is felt.</summary>
    private const int QueuedWork = 4;

    private readonly StageParts _parts;
    private readonly StageMemory _memory;
    private readonly StageDirectory _directory;
    private readonly ILogger<BuiltinShard> _logger;
    private readonly WorkQueue<StageWork> _inbox;
    private readonly WorkQueue<StageWork> _outbox;
    private readonly SequenceScheduler? _scheduler;
    private readonly GenerationRunner? _generation;
    private readonly StageRunner _runner;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stop;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _sending = Task.CompletedTask;
    private IStageLink? _link;
    private int _disposed;

    /// <param name="parts">Owned from now on.</param>
    /// <param name="createGeneration">On rank 0: what answers requests with a scheduler.</param>
    public BuiltinShard(
        ShardSpec spec,
        StageParts parts,
        StageMemory memory,
        StageDirectory directory,
        ShardServices services,
        Func<SequenceScheduler, GenerationRunner>? createGeneration)
    {
        Spec = spec;
        _stop = _stopping.Token;
        _parts = parts;
        _memory = memory;
        _directory = directory;
        _logger = services.Logger;

        // The scheduler posts under its lock and limits itself; a limit here could only stop it forever.
        _inbox = new WorkQueue<StageWork>(spec.WorldSize == 1 ? int.MaxValue : QueuedWork);
        _outbox = new WorkQueue<StageWork>(spec.IsLastStage ? int.MaxValue : QueuedWork);
        if (createGeneration is not null)
        {
            var first = spec.WorldSize == 1 ? _inbox : _outbox;
            _scheduler = new SequenceScheduler(spec.MaxConcurrency, services.Limits, work => first.Enqueue(work, CancellationToken.None), services.Time);
            _generation = createGeneration(_scheduler);
        }

        _runner = new StageRunner(spec, parts, _inbox, work => _outbox.Enqueue(work, _stop), _scheduler, FailHere);
        _completion.Task.ContinueWith(static task => _ = task.Exception, TaskScheduler.Default);
    }

    public ShardSpec Spec { get; }

    public Task Completion => _completion.Task;

    /// <summary>Starts to work and connects to the neighbours; returns when both sides are there.</summary>
    /// <exception cref="ShardException">A neighbour did not come within the timeout, or the shard failed meanwhile.</exception>
    public async Task ConnectAsync(IStageConnector connector, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        _runner.Start();
        if (Spec.WorldSize == 1)
        {
            return;
        }

        _directory.Add(this);
        _link = await connector.ConnectAsync(Spec, timeout, cancellationToken).ConfigureAwait(false);
        _sending = SendAsync(_link);
        _ = WatchAsync(_link);
        try
        {
            await Task.WhenAny(_connected.Task, _completion.Task).WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException exception)
        {
            throw new ShardException(
                $"{StageRing.Describe(Spec, StageRing.Previous(Spec))} did not connect to rank {Spec.Rank} within {timeout.TotalSeconds:0} s: "
                + "check that its agent runs and can reach this node.",
                exception);
        }

        if (_completion.Task.IsFaulted)
        {
            await _completion.Task.ConfigureAwait(false);
        }
    }

    public IAsyncEnumerable<GenerationEvent> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken) =>
        _generation?.GenerateAsync(request, cancellationToken)
        ?? throw new GenerationException(503, $"Rank {Spec.Rank} of deployment {Spec.DeploymentId} does not answer requests: rank 0 does.");

    public ShardReading Read() => new(
        _memory.WeightBytes + _memory.WorkspaceBytes + _parts.Cache.AllocatedBytes,
        _parts.Meter.KvTokensUsed,
        (long)Spec.ContextTokens * Spec.MaxConcurrency,
        _scheduler?.Running ?? _parts.Meter.ActiveSequences,
        _scheduler?.Waiting ?? 0,
        _parts.Meter.DecodeTokensPerSecond,
        _parts.Meter.PrefillTokensPerSecond,
        _parts.Meter.MedianDecodeStep);

    public void Connected() => _connected.TrySetResult();

    public async ValueTask AcceptAsync(StageWork work, CancellationToken cancellationToken)
    {
        if (work is StageWork.Failure failure)
        {
            Fail(new ShardException(failure.Message));
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop);
        await _inbox.EnqueueAsync(work, either.Token).ConfigureAwait(false);
    }

    public void Disconnected(string reason) =>
        Fail(new ShardException($"{StageRing.Describe(Spec, StageRing.Previous(Spec))} is gone: {reason.TrimEnd('.')}."));

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _completion.TrySetResult();
        _directory.Remove(this);
        _scheduler?.Fail(new ShardException($"Deployment {Spec.DeploymentId} was stopped."));
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_link is not null)
        {
            await _link.DisposeAsync().ConfigureAwait(false);
        }

        _runner.Dispose();
        _parts.Decoder.Dispose();
        _parts.Cache.Dispose();
        _parts.Meter.SequencesChanged(0, 0);
        _stopping.Dispose();
    }

    private async Task SendAsync(IStageLink link)
    {
        try
        {
            while (true)
            {
                await link.SendAsync(await _outbox.DequeueAsync(_stop).ConfigureAwait(false), _stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            await TellNextAsync(link).ConfigureAwait(false);
        }
        catch (ShardException exception)
        {
            Fail(exception);
        }
    }

    /// <summary>The last frame of a failed stage: so ranks further down learn which one failed, not only that their neighbour is gone.</summary>
    private async Task TellNextAsync(IStageLink link)
    {
        if (_completion.Task.Exception?.InnerException is not { } failure)
        {
            return;
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            await link.SendAsync(new StageWork.Failure(Spec.Rank, failure.Message), limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ShardException or OperationCanceledException)
        {
            LogNotTold(Spec.DeploymentId, Spec.Rank, exception.Message);
        }
    }

    private async Task WatchAsync(IStageLink link)
    {
        try
        {
            await link.Completion.ConfigureAwait(false);
        }
        catch (ShardException exception)
        {
            Fail(exception);
        }
        catch (OperationCanceledException)
        {
            // The link is being closed by this side.
        }
    }

    private void FailHere(Exception exception) =>
        Fail(new ShardException($"Rank {Spec.Rank} ({Spec.Ranks[Spec.Rank].NodeId}) failed: {exception.Message}", exception));

    private void Fail(ShardException exception)
    {
        if (Volatile.Read(ref _disposed) != 0 || !_completion.TrySetException(exception))
        {
            return;
        }

        LogFailed(Spec.DeploymentId, Spec.Rank, exception.Message);
        _scheduler?.Fail(exception);
        _stopping.Cancel();
    }

    [LoggerMessage(LogLevel.Error, "Deployment {DeploymentId}: rank {Rank} ends: {Reason}")]
    private partial void LogFailed(string deploymentId, int rank, string reason);

    [LoggerMessage(LogLevel.Debug, "Deployment {DeploymentId}: rank {Rank} could not tell the next stage: {Reason}")]
    private partial void LogNotTold(string deploymentId, int rank, string reason);
}

/// <summary>What a shard gets from its process.</summary>
internal sealed record ShardServices(TimeProvider Time, ILogger<BuiltinShard> Logger, StepLimits Limits);
