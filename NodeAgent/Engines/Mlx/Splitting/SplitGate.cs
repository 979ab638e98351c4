using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.NodeAgent.Engines.Mlx.Requests;
using ClusterLlm.NodeAgent.Engines.Mlx.Ring;
using ClusterLlm.NodeAgent.Hardware;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Splitting;

/// <summary>
/// No split model is ready before it has answered as the whole one. That every layer is covered exactly once is checked by the ranks themselves when
/// they meet; this compares what comes out.
/// </summary>
internal sealed partial class SplitGate(
    IOptions<MlxOptions> options,
    SplitReferences references,
    RankStarter starter,
    MachineMonitor machine,
    ILogger<SplitGate> logger)
{
    private static readonly TimeSpan ReadingAge = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromMinutes(2);

    /// <summary>Context of the process that measures a reference.</summary>
    private const int ReferenceContext = 256;

    /// <summary>The whole model's answer: the stored one, else measured here before the group loads, if this node can hold the model.</summary>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="ShardException">The whole model does not run here, although it fits.</exception>
    public async Task<SplitAnswer?> ReferenceAsync(ShardSpec spec, ModelFolder model, string python, MlxProbeReport report, CancellationToken cancellationToken)
    {
        if (options.Value.Reference == SplitReferenceSource.Off)
        {
            return null;
        }

        if (references.Find(model) is { } stored)
        {
            return stored;
        }

        var whole = Whole(spec, model);
        if (options.Value.Reference == SplitReferenceSource.Stored || !await FitsAsync(whole, model, cancellationToken).ConfigureAwait(false))
        {
            LogNoReference(spec.DeploymentId, model.Id);
            return null;
        }

        LogMeasures(spec.DeploymentId, model.Id);
        var run = await starter.StartAsync(whole, model, python, new RingLink(RingAddresses.None, null), new Progress<ShardProgress>(), cancellationToken).ConfigureAwait(false);
        await using (run.ConfigureAwait(false))
        {
            using var client = new ServerClient(run.Port);
            var answer = await AnswerProbe.AskAsync(client, AnswerLimit, cancellationToken).ConfigureAwait(false);
            references.Store(model, answer);
            return answer;
        }
    }

    /// <summary>Asks the loaded model; compares a split one with its reference, and stores a whole one's answer as the reference.</summary>
    /// <exception cref="ShardException">It does not answer, or another answer than the whole model.</exception>
    public async Task PassAsync(ShardSpec spec, ModelFolder model, ServerClient client, SplitAnswer? reference, CancellationToken cancellationToken)
    {
        var answer = await AnswerProbe.AskAsync(client, AnswerLimit, cancellationToken).ConfigureAwait(false);
        if (spec.WorldSize == 1)
        {
            references.Store(model, answer);
            return;
        }

        if (reference is not null && SplitComparison.Difference(reference, answer) is { } difference)
        {
            throw new ShardException($"The split model answers wrongly: {difference}. Nothing was served. Look for nodes with other weights or another version of MLX.");
        }
    }

    private static ShardSpec Whole(ShardSpec spec, ModelFolder model) => spec with
    {
        Rank = 0,
        FirstLayer = 0,
        LayerCount = model.Config.LayerCount,
        Ranks = [spec.Ranks[0]],
        ContextTokens = ReferenceContext,
        MaxConcurrency = 1,
        MemoryLimitBytes = 0,
    };

    private async Task<bool> FitsAsync(ShardSpec whole, ModelFolder model, CancellationToken cancellationToken)
    {
        if (!model.Tensors.MissingFiles.IsEmpty)
        {
            return false;
        }

        var budget = MlxMemory.For(whole, model, options.Value);
        var needed = budget.WeightBytes + budget.KvCacheBytes + budget.WorkspaceBytes;
        var reading = await machine.ReadAsync(ReadingAge, cancellationToken).ConfigureAwait(false);
        return needed <= Math.Min(reading.Usable.Bytes, reading.FreeBytes);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Deployment {DeploymentId}: measuring the answer of the whole {Model} to compare the split one with")]
    private partial void LogMeasures(string deploymentId, string model);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deployment {DeploymentId}: this node can't hold {Model} alone and has no stored answer; only the layers are compared")]
    private partial void LogNoReference(string deploymentId, string model);
}
