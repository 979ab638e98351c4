using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.NodeAgent.Engines.Mlx.Requests;
using ClusterLlm.NodeAgent.Engines.Mlx.Ring;
using ClusterLlm.NodeAgent.Engines.Mlx.Splitting;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Mlx;

/// <summary>mlx_lm in processes of its own: one on one node, or one rank on each of several.</summary>
internal sealed class MlxEngine(
    IOptions<MlxOptions> options,
    MlxEnvironment environment,
    RankStarter starter,
    RingConnector ring,
    SplitGate gate,
    MemoryReturn memory) : IEngine
{
    public const string EngineName = "mlx";

    /// <summary>At a join nobody waits for an installation.</summary>
    private static readonly TimeSpan DescribePatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(20);

    private readonly ConcurrentDictionary<MlxShard, bool> _shards = new();

    public string Name => EngineName;

    /// <summary>Process ids of the loaded shards: for people who look at the machine, and for tests that end one.</summary>
    internal IReadOnlyCollection<int> RunningProcesses => [.. _shards.Keys.Select(shard => shard.ProcessId)];

    public async ValueTask<EngineFacts> DescribeAsync(CancellationToken cancellationToken)
    {
        var installation = await environment.GetAsync(DescribePatience, cancellationToken).ConfigureAwait(false);
        return installation.Report is { } report
            ? new EngineFacts(report.Version, null, report.ModelTypes, Properties(report))
            : new EngineFacts("", installation.Reason, [], ImmutableDictionary<string, string>.Empty);
    }

    /// <summary>What mlx_lm has a class for is known only to its Python, which <see cref="CheckAsync"/> asks.</summary>
    public EngineVerdict Supports(ModelFolder model) => model.Config.Quantization is { Default: null } other
        ? new EngineVerdict($"{model.Id} is quantized by {other.Method}: the mlx engine takes MLX's own quantization; convert the model with mlx_lm.convert.")
        : EngineVerdict.Supported;

    public async ValueTask<ShardCheck> CheckAsync(ShardSpec spec, ModelFolder model, CancellationToken cancellationToken)
    {
        var installation = await environment.GetAsync(StartPatience, cancellationToken).ConfigureAwait(false);
        if (installation.Report is not { } report)
        {
            return new ShardCheck([new ShardProblem("engine", $"MLX can't be used here: {installation.Reason}")], 0, 0, 0);
        }

        var problems = ShardRules.Check(spec, model, report, options.Value);
        if (problems.IsEmpty && spec.WorldSize > 1 && await ring.CheckNeighbourAsync(spec, report.Version, cancellationToken).ConfigureAwait(false) is { } fault)
        {
            problems = [new ShardProblem("engine", fault)];
        }

        if (problems.Any(problem => problem.Constraint == "layers"))
        {
            return new ShardCheck(problems, 0, 0, 0);
        }

        var budget = MlxMemory.For(spec, model, options.Value);
        return new ShardCheck(problems, budget.WeightBytes, budget.KvCacheBytes, budget.WorkspaceBytes);
    }

    public async Task<IShard> StartAsync(ShardSpec spec, ModelFolder model, IProgress<ShardProgress> progress, CancellationToken cancellationToken)
    {
        var installation = await environment.GetAsync(StartPatience, cancellationToken).ConfigureAwait(false);
        if (installation is not { Report: { } report, Python: { } python })
        {
            throw new ShardException($"MLX can't be used here: {installation.Reason}");
        }

        var reference = spec is { IsLastStage: true, WorldSize: > 1 }
            ? await gate.ReferenceAsync(spec, model, python, report, cancellationToken).ConfigureAwait(false)
            : null;
        var link = await ring.OpenAsync(spec, report.Version, cancellationToken).ConfigureAwait(false);
        var run = await starter.StartAsync(spec, model, python, link, progress, cancellationToken).ConfigureAwait(false);
        ServerClient? client = null;
        try
        {
            client = spec.IsLastStage ? new ServerClient(run.Port) : null;
            if (client is not null)
            {
                await gate.PassAsync(spec, model, client, reference, cancellationToken).ConfigureAwait(false);
            }

            var services = new MlxShardServices(
                new RequestLimits(model.Config.VocabularySize, spec.ContextTokens, model.GenerationDefaults),
                options.Value.QueueLimit,
                options.Value.DrainTimeout,
                starter.Time,
                memory,
                ended => _shards.TryRemove(ended, out _));
            var shard = new MlxShard(spec, run, client, services);
            _shards.TryAdd(shard, true);
            return shard;
        }
        catch (Exception error)
        {
            client?.Dispose();
            var reason = run.Ended.IsCompleted ? await run.Ended.ConfigureAwait(false) : null;
            await run.DisposeAsync().ConfigureAwait(false);
            if (error is ShardException && reason is not null)
            {
                throw new ShardException(reason, error);
            }

            throw;
        }
    }

    private ImmutableDictionary<string, string> Properties(MlxProbeReport report)
    {
        var properties = report.Device
            .SetItem("python", report.PythonVersion)
            .SetItem("metal", report.Metal ? "yes" : "no")
            .SetItem("ring", report.Ring ? "yes" : "no")
            .SetItem("jaccl", report.Jaccl ? "yes, not verified" : "no")
            .SetItem("splits", string.Join(", ", report.Splittable))
            .SetItem(RingConnector.TransportProperty, options.Value.Transport.ToString());
        return options.Value is { Transport: MlxTransport.Direct, DirectAddress: { } address }
            ? properties.SetItem(RingConnector.DirectProperty, string.Create(CultureInfo.InvariantCulture, $"{address}:{options.Value.DirectPort}"))
            : properties;
    }
}
