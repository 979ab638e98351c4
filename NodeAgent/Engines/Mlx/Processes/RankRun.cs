using ClusterLlm.NodeAgent.Engines.Mlx.Ring;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Processes;

/// <summary>What a rank is started with.</summary>
/// <param name="MakeCommand">Given a folder of the rank's own.</param>
/// <param name="Link">Owned by the run.</param>
/// <param name="ReadyLimit">From the start until the model is loaded on all ranks.</param>
internal sealed record RankStart(int Rank, Func<string, RankCommand> MakeCommand, RingLink Link, TimeSpan ReadyLimit, StageSpans Spans);

/// <summary>A rank that runs: its process, its way to its neighbours and its folder, which end together.</summary>
internal sealed class RankRun : IAsyncDisposable
{
    private readonly RankStart _start;
    private readonly DirectoryInfo _folder;
    private readonly RankProcess _process;
    private readonly IProgress<ShardProgress> _progress;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile RankEvent? _beat;
    private volatile string _phase = "starting Python";

    private RankRun(RankStart start, DirectoryInfo folder, IProgress<ShardProgress> progress, ILogger logger)
    {
        (_start, _folder, _progress) = (start, folder, progress);
        _process = RankProcess.Start(start.Rank, start.MakeCommand(folder.FullName), OnEvent, logger);
        Ended = DescribeEndAsync();
    }

    /// <summary>Completes with the reason when the process is gone. Never faults.</summary>
    public Task<string> Ended { get; }

    /// <summary>The newest readings; null before the first.</summary>
    public RankEvent? Beat => _beat;

    /// <summary>Where rank 0 answers.</summary>
    public int Port => _listening.Task.IsCompletedSuccessfully ? _listening.Task.Result : throw new InvalidOperationException("Only rank 0 listens, once it is started.");

    public int ProcessId => _process.ProcessId;

    /// <summary>Returns when the model is loaded on all ranks.</summary>
    /// <exception cref="ShardException">The rank ended, or took too long.</exception>
    public static async Task<RankRun> StartAsync(RankStart start, IProgress<ShardProgress> progress, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        // Readable by this user only: what lies here decides which layers run.
        var folder = Directory.CreateTempSubdirectory("clusterllm-mlx-");
        RankRun run;
        try
        {
            run = new RankRun(start, folder, progress, logger);
        }
        catch
        {
            folder.Delete(recursive: true);
            await start.Link.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        try
        {
            await run.WaitUntilReadyAsync(time, cancellationToken).ConfigureAwait(false);
            return run;
        }
        catch
        {
            await run.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync().ConfigureAwait(false);
        await _start.Link.DisposeAsync().ConfigureAwait(false);
        await Ended.ConfigureAwait(false);
        if (_folder.Exists)
        {
            _folder.Delete(recursive: true);
        }
    }

    private async Task WaitUntilReadyAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var ready = _start.Rank == 0 ? Task.WhenAll(_ready.Task, _listening.Task) : _ready.Task;
        try
        {
            var first = await Task.WhenAny(ready, Ended).WaitAsync(_start.ReadyLimit, time, cancellationToken).ConfigureAwait(false);
            if (first == Ended)
            {
                throw new ShardException(await Ended.ConfigureAwait(false));
            }
        }
        catch (TimeoutException error)
        {
            throw new ShardException($"Rank {_start.Rank} was not ready within {_start.ReadyLimit.TotalSeconds:0} s; it was {_phase}.", error);
        }
    }

    private async Task<string> DescribeEndAsync()
    {
        var reason = await _process.Exited.ConfigureAwait(false);
        return _start.Link.Broken is { } broken ? $"{reason} ({broken})" : reason;
    }

    private void OnEvent(RankEvent happening)
    {
        switch (happening.Event)
        {
            case "listening":
                _listening.TrySetResult(happening.Port);
                break;
            case "joined":
                _phase = "loading";
                break;
            case "layer":
                Report(happening);
                break;
            case "ready":
                _ready.TrySetResult();
                break;
            case "beat":
                _beat = happening;
                break;
            case "stage":
                _start.Spans.Record(happening);
                break;
        }
    }

    private void Report(RankEvent layer)
    {
        // The last one, without a layer's number, comes when all is loaded: the others may still load.
        var isLast = layer.Layer < 0;
        _phase = isLast ? "waiting for the other ranks" : $"loading, with {layer.Done} of {layer.Total} bytes done";
        _progress.Report(new ShardProgress(layer.Done, layer.Total, isLast));
    }
}
