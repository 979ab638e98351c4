using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.NodeAgent.Engines.Mlx.Processes;
using ClusterLlm.NodeAgent.Engines.Mlx.Ring;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Mlx;

/// <summary>Starts the process of a shard.</summary>
internal sealed class RankStarter(IOptions<MlxOptions> options, MlxPackage package, TimeProvider time, ILogger<RankStarter> logger)
{
    /// <summary>A slow external disk, or a file server; nothing slower is waited for.</summary>
    private const double SlowestLoadBytesPerSecond = 50e6;

    public TimeProvider Time => time;

    /// <summary>Returns when the model is loaded on all ranks.</summary>
    /// <param name="link">Owned by the run from now on.</param>
    /// <exception cref="ShardException">The rank ended, or took too long.</exception>
    public Task<RankRun> StartAsync(ShardSpec spec, ModelFolder model, string python, RingLink link, IProgress<ShardProgress> progress, CancellationToken cancellationToken)
    {
        var budget = MlxMemory.For(spec, model, options.Value);
        var limit = options.Value.ReadyTimeout + TimeSpan.FromSeconds(model.Layout.TotalBytes / SlowestLoadBytesPerSecond);
        var start = new RankStart(
            spec.Rank,
            folder => RankCommand.For(spec, model.Path, python, package, options.Value, folder, link.Addresses, budget),
            link,
            limit,
            new StageSpans(spec, time));
        return RankRun.StartAsync(start, progress, time, logger, cancellationToken);
    }
}
