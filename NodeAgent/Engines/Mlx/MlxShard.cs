using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using ClusterLlm.NodeAgent.Engines.Mlx.Processes;
using ClusterLlm.NodeAgent.Engines.Mlx.Requests;

namespace ClusterLlm.NodeAgent.Engines.Mlx;

/// <summary>A loaded shard of the mlx engine. On rank 0 it answers requests.</summary>
internal sealed class MlxShard : IShard
{
    /// <summary>A server that has gone away takes a moment to say why.</summary>
    private static readonly TimeSpan ReasonPatience = TimeSpan.FromSeconds(2);

    private readonly RankRun _run;
    private readonly MlxShardServices _services;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<AnswerRun, bool> _running = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly Admission _admission;
    private readonly AnswerServices? _answers;
    private int _disposed;

    /// <param name="run">Owned from now on.</param>
    /// <param name="client">Of rank 0, owned from now on; null on the other ranks.</param>
    public MlxShard(ShardSpec spec, RankRun run, ServerClient? client, MlxShardServices services)
    {
        (Spec, _run, _services) = (spec, run, services);
        _admission = new Admission(Math.Max(1, spec.MaxConcurrency), services.QueueLimit);
        _answers = client is null ? null : new AnswerServices(
            client, _admission, new Throughput(services.Time), services.Time, answer => _running.TryAdd(answer, true), answer => _running.TryRemove(answer, out _));
        _ = WatchAsync();
    }

    public ShardSpec Spec { get; }

    public Task Completion => _completion.Task;

    /// <summary>Of the rank's process.</summary>
    internal int ProcessId => _run.ProcessId;

    /// <summary>Where rank 0's process itself answers, for benchmarks that compare.</summary>
    internal int ServerPort => _run.Port;

    public IAsyncEnumerable<GenerationEvent> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken) => _answers is null
        ? throw new GenerationException(503, $"Rank {Spec.Rank} of deployment {Spec.DeploymentId} does not answer requests: rank 0 does.")
        : AnswerAsync(RequestTranslator.Translate(request, _services.Limits), _answers, cancellationToken);

    public ShardReading Read()
    {
        var beat = _run.Beat;
        return new ShardReading(
            (beat?.Active ?? 0) + (beat?.Cache ?? 0),
            _running.Keys.Sum(answer => (long)answer.KvTokens),
            (long)Spec.ContextTokens * Math.Max(1, Spec.MaxConcurrency),
            _admission.Running,
            _admission.Waiting,
            _answers?.Throughput.DecodeTokensPerSecond ?? 0,
            _answers?.Throughput.PrefillTokensPerSecond ?? 0,
            TimeSpan.FromMilliseconds(beat?.StageStepMs ?? 0));
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await DrainAsync().ConfigureAwait(false);
        await _closing.CancelAsync().ConfigureAwait(false);
        _completion.TrySetResult();
        var held = Read().MemoryBytes;
        var free = await _services.Memory.FreeBytesAsync(CancellationToken.None).ConfigureAwait(false);
        await _run.DisposeAsync().ConfigureAwait(false);
        await _services.Memory.VerifyAsync(Spec, free, held, CancellationToken.None).ConfigureAwait(false);
        _services.Ended(this);
        _answers?.Client.Dispose();
        _admission.Dispose();
        _closing.Dispose();
    }

    private async Task WatchAsync()
    {
        var reason = await _run.Ended.ConfigureAwait(false);
        if (Volatile.Read(ref _disposed) == 0)
        {
            _completion.TrySetException(new ShardException(reason));
        }
    }

    private async IAsyncEnumerable<GenerationEvent> AnswerAsync(ServerRequest request, AnswerServices answers, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        var events = new MlxGeneration(request, answers).RunAsync(ending.Token).GetAsyncEnumerator(ending.Token);
        await using (events.ConfigureAwait(false))
        {
            while (await MoveNextAsync(events, cancellationToken).ConfigureAwait(false))
            {
                yield return events.Current;
            }
        }
    }

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<GenerationEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GenerationException(503, $"Deployment {Spec.DeploymentId} was stopped while it answered.", code: "deployment_stopped");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException)
        {
            throw new GenerationException(503, $"The answer was cut: {await ReasonAsync(error).ConfigureAwait(false)}", code: "engine_failed", inner: error);
        }
    }

    private async Task<string> ReasonAsync(Exception error)
    {
        try
        {
            return await _run.Ended.WaitAsync(ReasonPatience, _services.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return error.Message;
        }
    }

    /// <summary>Lets running answers end, within a limit.</summary>
    private async Task DrainAsync()
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50), _services.Time);
        var began = _services.Time.GetTimestamp();
        while (_admission.Running > 0 && !_run.Ended.IsCompleted && _services.Time.GetElapsedTime(began) < _services.DrainTimeout)
        {
            await tick.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }
}

/// <summary>What a shard gets from its engine.</summary>
/// <param name="Ended">Called once, when the shard is gone.</param>
internal sealed record MlxShardServices(RequestLimits Limits, int QueueLimit, TimeSpan DrainTimeout, TimeProvider Time, MemoryReturn Memory, Action<MlxShard> Ended);
