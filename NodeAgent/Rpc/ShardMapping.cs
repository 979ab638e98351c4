using System.Globalization;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Shards;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Rpc;

/// <summary>Maps shard specs from the wire, checked, and their states to it.</summary>
internal static class ShardMapping
{
    /// <exception cref="BadRequestException">A field is missing or can't be.</exception>
    public static ShardSpec ToDomain(this Proto.ShardSpec? spec)
    {
        if (spec is null)
        {
            throw new BadRequestException("spec is missing.");
        }

        RequireText(spec.DeploymentId, "spec.deployment_id");
        RequireText(spec.Engine, "spec.engine");
        RequireText(spec.Model, "spec.model");
        Require(spec.Generation >= 1, "spec.generation", spec.Generation, "it must be 1 or more");
        Require(spec.WorldSize >= 1, "spec.world_size", spec.WorldSize, "it must be 1 or more");
        Require(spec.Ranks.Count == spec.WorldSize, "spec.ranks", (uint)spec.Ranks.Count, $"entries must be as many as world_size ({spec.WorldSize})");
        Require(spec.Rank < spec.WorldSize, "spec.rank", spec.Rank, $"it must be below world_size ({spec.WorldSize})");
        Require(spec.LayerCount >= 1, "spec.layer_count", spec.LayerCount, "it must be 1 or more");
        Require(spec.ContextTokens >= 1, "spec.context_tokens", spec.ContextTokens, "it must be 1 or more");
        Require(spec.MaxConcurrency >= 1, "spec.max_concurrency", spec.MaxConcurrency, "it must be 1 or more");
        return new ShardSpec(
            spec.DeploymentId,
            Integer(spec.Generation, "spec.generation"),
            spec.Engine,
            spec.Model,
            spec.ModelFingerprint,
            (int)spec.Rank,
            Integer(spec.FirstLayer, "spec.first_layer"),
            Integer(spec.LayerCount, "spec.layer_count"),
            Integer(spec.ContextTokens, "spec.context_tokens"),
            Integer(spec.MaxConcurrency, "spec.max_concurrency"),
            [.. spec.Ranks.Select(ToDomain)],
            Math.Max(1, Integer(spec.MicroBatches, "spec.micro_batches")),
            Integer(spec.PrefillChunkTokens, "spec.prefill_chunk_tokens"),
            checked((long)Math.Min(spec.MemoryLimitBytes, long.MaxValue)));
    }

    public static Proto.PrepareShardResponse ToProto(this ShardCheck check) => new()
    {
        Ok = check.Problems.IsEmpty,
        Problems =
        {
            check.Problems.Select(problem => new Proto.ShardProblem
            {
                Constraint = problem.Constraint,
                Message = problem.Message,
                Needed = (ulong)Math.Max(0, problem.Needed),
                Available = (ulong)Math.Max(0, problem.Available),
            }),
        },
        WeightBytes = (ulong)check.WeightBytes,
        KvCacheBytes = (ulong)check.KvCacheBytes,
        WorkspaceBytes = (ulong)check.WorkspaceBytes,
    };

    public static Proto.ShardEvent ToProto(this ShardStatus status) => new()
    {
        State = new Proto.ShardState
        {
            DeploymentId = status.Spec.DeploymentId,
            Generation = (uint)status.Spec.Generation,
            Rank = (uint)status.Spec.Rank,
            Phase = status.Phase.ToProto(),
            LoadedBytes = (ulong)status.LoadedBytes,
            TotalBytes = (ulong)status.TotalBytes,
            Reason = status.Reason,
            Engine = status.Spec.Engine,
            FirstLayer = (uint)status.Spec.FirstLayer,
            LayerCount = (uint)status.Spec.LayerCount,
            Model = status.Spec.Model,
        },
    };

    private static Proto.ShardPhase ToProto(this ShardPhase phase) => phase switch
    {
        ShardPhase.Loading => Proto.ShardPhase.Loading,
        ShardPhase.Connecting => Proto.ShardPhase.Connecting,
        ShardPhase.Ready => Proto.ShardPhase.Ready,
        ShardPhase.Stopping => Proto.ShardPhase.Stopping,
        ShardPhase.Stopped => Proto.ShardPhase.Stopped,
        ShardPhase.Failed => Proto.ShardPhase.Failed,
        _ => Proto.ShardPhase.Unspecified,
    };

    private static ShardRank ToDomain(Proto.RankEndpoint rank, int index) =>
        Uri.TryCreate(rank.Url, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? new ShardRank(rank.NodeId, url)
            : throw new BadRequestException(string.Create(
                CultureInfo.InvariantCulture,
                $"spec.ranks[{index}].url is '{rank.Url}': it must be an http or https address."));

    private static void RequireText(string value, string field)
    {
        if (value.Length == 0)
        {
            throw new BadRequestException($"{field} is empty.");
        }
    }

    private static void Require(bool condition, string field, uint value, string rule)
    {
        if (!condition)
        {
            throw new BadRequestException(string.Create(CultureInfo.InvariantCulture, $"{field} is {value}: {rule}."));
        }
    }

    private static int Integer(uint value, string field)
    {
        Require(value <= int.MaxValue, field, value, "it must fit a 32-bit signed integer");
        return (int)value;
    }
}
