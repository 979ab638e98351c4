using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ClusterLlm.Coordinator.Calibration;
using ClusterLlm.Coordinator.Deployments.FailedPlans;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Planning;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Deployments as the API shows them, from what is wanted, what agents report and what they measure.</summary>
internal sealed class DeploymentViews(DeploymentRegistry deployments, ShardRegistry shards, NodeRegistry nodes, SpeedHistory speeds, PlanFailures failures)
{
    public DeploymentContract[] All() =>
        [.. deployments.Current.Values.OrderBy(deployment => deployment.CreatedAt).Select(View)];

    public DeploymentContract? Find(string idOrName) => deployments.Find(idOrName) is { } deployment ? View(deployment) : null;

    public DeploymentContract View(Deployment deployment)
    {
        var plan = deployment.Plan is { } known ? PlanView(known, stage => ShardOf(deployment, stage.NodeId, stage.Rank), Failed(known)) : null;
        var progress = Progress(deployment);
        return new DeploymentContract(
            deployment.Id,
            deployment.Name,
            deployment.State,
            deployment.Reason,
            deployment.Spec.Model,
            deployment.Plan?.ModelId,
            deployment.Spec.Objective,
            deployment.Plan?.Placement.ContextTokens ?? deployment.Spec.ContextTokens,
            deployment.Spec.Concurrency,
            deployment.Plan?.Placement.Engine ?? deployment.Spec.Engine,
            deployment.Spec.Nodes,
            deployment.CreatedAt,
            deployment.StateSince,
            deployment.Generation,
            deployment.Failures,
            deployment.RetryAt,
            progress.Share,
            progress.LoadedBytes,
            progress.TotalBytes,
            plan,
            PredictedContract.From(deployment.Plan?.Placement.Predictions),
            Measured(deployment),
            Speed(deployment));
    }

    /// <summary>A plan; <paramref name="shard"/> tells what became of each stage.</summary>
    public static PlanContract PlanView(DeploymentPlan plan, Func<Placement.PlacementStage, ShardFact?> shard, FailedPlanContract? failed) => new(
        plan.Placement.Engine,
        plan.Placement.EngineReason,
        plan.LayerCount,
        plan.Placement.ContextTokens,
        plan.Placement.MaxConcurrency,
        plan.Placement.MicroBatches,
        plan.Placement.Stages.Sum(stage => stage.TotalBytes),
        [.. plan.Placement.Stages.Select(stage => Stage(stage, shard(stage)))],
        RejectionContract.From(plan.Placement.Rejections),
        plan.PlanFingerprint,
        failed);

    /// <summary>A deployment now and after each change, until it has stopped or is gone.</summary>
    public async IAsyncEnumerable<DeploymentContract> WatchAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Woken by any of the three registries; equal views are not sent twice.
        var wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var changedDeployments = deployments.Subscribe();
        using var changedShards = shards.Subscribe();
        using var changedNodes = nodes.Subscribe();
        Task[] wakers =
        [
            WakeOnAsync(changedDeployments.ChangesAsync(end.Token), wake.Writer),
            WakeOnAsync(changedShards.ChangesAsync(end.Token), wake.Writer),
            WakeOnAsync(changedNodes.ChangesAsync(end.Token), wake.Writer),
        ];
        try
        {
            var sent = "";
            while (deployments.Current.TryGetValue(id, out var deployment))
            {
                var view = View(deployment);
                var text = System.Text.Json.JsonSerializer.Serialize(view);
                if (text != sent)
                {
                    sent = text;
                    yield return view;
                }

                if (deployment.State == DeploymentState.Stopped)
                {
                    yield break;
                }

                await wake.Reader.ReadAsync(cancellationToken);
            }
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(wakers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task WakeOnAsync<T>(IAsyncEnumerable<T> changes, ChannelWriter<bool> wake)
    {
        await foreach (var _ in changes)
        {
            wake.TryWrite(true);
        }
    }

    private static StageContract Stage(Placement.PlacementStage stage, ShardFact? shard) => new(
        stage.NodeId,
        stage.Rank,
        stage.FirstLayer,
        stage.LayerCount,
        stage.WeightBytes,
        stage.KvCacheBytes,
        stage.WorkspaceBytes,
        shard is null ? "none" : System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(shard.Stage.ToString()),
        shard?.LoadedBytes ?? 0,
        shard is { Reason.Length: > 0 } ? shard.Reason : null);

    private FailedPlanContract? Failed(DeploymentPlan plan) => failures.Find(plan.PlanFingerprint) is { } failure
        ? new FailedPlanContract(failure.Launches, failures.FindBad(plan.PlanFingerprint) is not null, failure.LastAt, failure.Reason)
        : null;

    private ShardFact? ShardOf(Deployment deployment, string nodeId, int rank) =>
        shards.Current.GetValueOrDefault(nodeId)?.Shards.FirstOrDefault(shard =>
            shard.DeploymentId == deployment.Id && shard.Generation == deployment.Generation && shard.Rank == rank);

    /// <summary>How much of the deployment's weights are loaded.</summary>
    public (long LoadedBytes, long TotalBytes, double Share) Progress(Deployment deployment)
    {
        if (deployment.Plan is not { } plan)
        {
            return (0, 0, 0);
        }

        var facts = plan.Placement.Stages.Select(stage => (Stage: stage, Shard: ShardOf(deployment, stage.NodeId, stage.Rank))).ToArray();
        var total = facts.Sum(pair => pair.Shard is { TotalBytes: > 0 } ? pair.Shard.TotalBytes : pair.Stage.WeightBytes);
        var loaded = deployment.State == DeploymentState.Ready ? total : facts.Sum(pair => pair.Shard?.LoadedBytes ?? 0);
        return (loaded, total, total == 0 ? 0 : Math.Clamp((double)loaded / total, 0, 1));
    }

    private MeasuredContract? Measured(Deployment deployment) =>
        deployment.Plan is { } plan
        && nodes.Current.GetValueOrDefault(plan.RankZeroNodeId)?.Reading?.Shards.FirstOrDefault(
            shard => shard.DeploymentId == deployment.Id && shard.Rank == 0) is { } reading
            ? new MeasuredContract(
                reading.DecodeTokensPerSecond,
                reading.PrefillTokensPerSecond,
                reading.RunningRequests,
                reading.QueuedRequests,
                reading.KvTokensUsed,
                reading.KvTokensCapacity)
            : null;

    private SpeedContract? Speed(Deployment deployment)
    {
        if (speeds.Find(deployment.Id) is not { } measured)
        {
            return null;
        }

        var predicted = deployment.Plan?.Placement.Predictions?.DecodeTokensPerSecond;
        return new SpeedContract(
            measured.TokensPerSecond,
            measured.MeasuredAt,
            predicted?.Value,
            predicted is null ? null : Math.Round((measured.TokensPerSecond / predicted.Value) - 1, 3),
            predicted is null ? null : measured.TokensPerSecond >= predicted.Low && measured.TokensPerSecond <= predicted.High);
    }
}
