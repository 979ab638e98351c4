using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.ModelStore;

namespace ClusterLlm.NodeAgent.Shards;

/// <summary>Checks a shard and leads it through its life: load, connect, serve, free.</summary>
internal sealed partial class ShardRunner(ModelCatalog models, EngineRegistry engines, MachineMonitor machine, ILogger<ShardRunner> logger)
{
    /// <summary>A reading that old still decides: what is loading meanwhile counts as promised.</summary>
    private static readonly TimeSpan MaximumReadingAge = TimeSpan.FromMilliseconds(100);

    /// <param name="committedBytes">Promised to the other shards of this agent.</param>
    public async ValueTask<ShardCheck> CheckAsync(ShardSpec spec, long committedBytes, CancellationToken cancellationToken)
    {
        if (engines.Find(spec.Engine) is not { } engine)
        {
            return Refused("engine", engines.Unknown(spec.Engine));
        }

        ModelFolder model;
        try
        {
            model = models.Open(spec.Model);
        }
        catch (Exception error) when (error is ModelFileException or ModelNotFoundException)
        {
            return Refused("model", error.Message);
        }

        var memory = await machine.ReadAsync(MaximumReadingAge, cancellationToken).ConfigureAwait(false);
        var check = await CheckAsync(engine, spec, model, cancellationToken).ConfigureAwait(false);
        return Admit(check, spec, committedBytes, memory);
    }

    /// <summary>Returns how the shard ended; its memory is free then. Never throws.</summary>
    public async Task<ShardEnd> RunAsync(ShardHost.ShardHandle handle, CancellationToken stopping)
    {
        var spec = handle.Spec;
        try
        {
            await LoadAndServeAsync(handle, stopping).ConfigureAwait(false);
            return Failed(spec, "The shard ended by itself.");
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            LogStopped(spec.DeploymentId, spec.Generation);
            return new ShardEnd(ShardPhase.Stopped, "");
        }
        catch (Exception error) when (error is ShardException or ModelFileException or ModelNotFoundException)
        {
            return Failed(spec, error.Message);
        }
        catch (Exception error)
        {
            // An engine's own fault must end its shard, not the agent with its other shards.
            LogUnexpected(error, spec.DeploymentId, spec.Generation);
            return new ShardEnd(ShardPhase.Failed, $"Unexpected {error.GetType().Name} in engine '{spec.Engine}'; the agent's log has the details.");
        }
    }

    private async Task LoadAndServeAsync(ShardHost.ShardHandle handle, CancellationToken stopping)
    {
        var spec = handle.Spec;
        stopping.ThrowIfCancellationRequested();
        var engine = engines.Find(spec.Engine) ?? throw new ShardException(engines.Unknown(spec.Engine));
        var model = models.Open(spec.Model);
        var memory = await machine.ReadAsync(MaximumReadingAge, stopping).ConfigureAwait(false);
        var check = await CheckAsync(engine, spec, model, stopping).ConfigureAwait(false);
        check = handle.Commit(committed => Admit(check, spec, committed, memory));
        if (!check.Problems.IsEmpty)
        {
            throw new ShardException(string.Join(" ", check.Problems.Select(problem => problem.Message)));
        }

        var needed = check.NeededBytes();
        LogLoading(spec.DeploymentId, spec.Generation, spec.Rank, spec.FirstLayer, spec.EndLayer, needed);
        handle.Move(handle.Status with { TotalBytes = check.WeightBytes }, loaded: null);
        var shard = await engine.StartAsync(spec, model, new ShardProgressReporter(handle), stopping).ConfigureAwait(false);
        await using (shard.ConfigureAwait(false))
        {
            handle.Move(handle.Status with { Phase = ShardPhase.Ready, LoadedBytes = check.WeightBytes, TotalBytes = check.WeightBytes }, shard);
            LogReady(spec.DeploymentId, spec.Generation, spec.Rank);
            try
            {
                await shard.Completion.WaitAsync(stopping).ConfigureAwait(false);
            }
            finally
            {
                handle.Move(handle.Status with { Phase = ShardPhase.Stopping }, loaded: null);
            }
        }
    }

    private static async ValueTask<ShardCheck> CheckAsync(IEngine engine, ShardSpec spec, ModelFolder model, CancellationToken cancellationToken)
    {
        if (spec.ModelFingerprint.Length > 0 && spec.ModelFingerprint != model.Fingerprint)
        {
            return Refused(
                "model",
                $"{model.Path} has fingerprint {model.Fingerprint}, but the plan was made for {spec.ModelFingerprint}: the folders differ between nodes.");
        }

        return engine.Supports(model).Reason is { } reason
            ? Refused("engine", reason)
            : await engine.CheckAsync(spec, model, cancellationToken).ConfigureAwait(false);
    }

    private static ShardCheck Admit(ShardCheck check, ShardSpec spec, long committedBytes, MachineSample memory) =>
        check.WithMemory(spec, committedBytes, memory.Usable, memory.FreeBytes);

    private static ShardCheck Refused(string constraint, string message) => new([new ShardProblem(constraint, message)], 0, 0, 0);

    private ShardEnd Failed(ShardSpec spec, string reason)
    {
        LogFailed(spec.DeploymentId, spec.Generation, reason);
        return new ShardEnd(ShardPhase.Failed, reason);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Deployment {DeploymentId} generation {Generation}: rank {Rank} loads layers {FirstLayer} to {EndLayer} (half-open), {Bytes} bytes")]
    private partial void LogLoading(string deploymentId, int generation, int rank, int firstLayer, int endLayer, long bytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deployment {DeploymentId} generation {Generation}: rank {Rank} is ready")]
    private partial void LogReady(string deploymentId, int generation, int rank);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deployment {DeploymentId} generation {Generation}: stopped")]
    private partial void LogStopped(string deploymentId, int generation);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Deployment {DeploymentId} generation {Generation}: failed. {Reason}")]
    private partial void LogFailed(string deploymentId, int generation, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Deployment {DeploymentId} generation {Generation}: unexpected error")]
    private partial void LogUnexpected(Exception error, string deploymentId, int generation);
}

/// <summary>How a shard's life ended.</summary>
internal sealed record ShardEnd(ShardPhase Phase, string Reason);
