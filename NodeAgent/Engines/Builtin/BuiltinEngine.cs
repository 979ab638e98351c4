using System.Collections.Frozen;
using System.Collections.Immutable;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;
using ClusterLlm.NodeAgent.Engines.Builtin.Model;
using ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;
using ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;
using ClusterLlm.NodeAgent.Engines.Builtin.Sequences;
using ClusterLlm.NodeAgent.Engines.Builtin.Threading;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Builtin;

/// <summary>Inference in this process, on the processor: for machines without another engine, for tests, and to compare with.</summary>
internal sealed class BuiltinEngine(
    IOptions<BuiltinOptions> options,
    ComputePool pool,
    StageDirectory directory,
    IStageConnector connector,
    BuiltinMetrics metrics,
    BuiltinClock clock) : IEngine
{
    public const string EngineName = "builtin";

    public string Name => EngineName;

    public ValueTask<EngineFacts> DescribeAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new EngineFacts(
        typeof(BuiltinEngine).Assembly.GetName().Version?.ToString(3) ?? "0",
        null,
        [.. ModelSupport.ModelTypes],
        Properties()));

    public EngineVerdict Supports(ModelFolder model) => ModelSupport.Check(model);

    public ValueTask<ShardCheck> CheckAsync(ShardSpec spec, ModelFolder model, CancellationToken cancellationToken) =>
        ValueTask.FromResult(ShardChecker.Check(spec, model, ChunkTokens(spec), pool.Workers));

    public async Task<IShard> StartAsync(ShardSpec spec, ModelFolder model, IProgress<ShardProgress> progress, CancellationToken cancellationToken)
    {
        var check = ShardChecker.Check(spec, model, ChunkTokens(spec), pool.Workers);
        if (!check.Problems.IsEmpty)
        {
            throw new ShardException(string.Join(" ", check.Problems.Select(problem => problem.Message)));
        }

        // Off the caller's thread: reading gigabytes of weights and building tokenizer tables takes its time.
        var shard = await Task.Run(() => Load(spec, model, progress, cancellationToken), cancellationToken).ConfigureAwait(false);

        // Reading tokenizer and headers leaves megabytes of garbage that a shard which then hardly allocates would keep for hours.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        try
        {
            progress.Report(new ShardProgress(check.WeightBytes, check.WeightBytes, WaitingForNeighbours: spec.WorldSize > 1));
            IStageConnector way = Artificial.HopTime > TimeSpan.Zero ? new SlowConnector(connector, Artificial.HopTime, clock.Time) : connector;
            await shard.ConnectAsync(way, options.Value.NeighbourTimeout, clock.Time, cancellationToken).ConfigureAwait(false);
            return shard;
        }
        catch
        {
            await shard.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private ImmutableDictionary<string, string> Properties()
    {
        var properties = ImmutableDictionary<string, string>.Empty
            .Add("kernels", KernelSet.Best.Name)
            .Add("threads", pool.Workers.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return Artificial.Any ? properties.Add(EngineFacts.ArtificialProperty, Artificial.ToString()) : properties;
    }

    private ArtificialLimits Artificial => options.Value.Artificial;

    private int ChunkTokens(ShardSpec spec) => spec.PrefillChunkTokens > 0 ? spec.PrefillChunkTokens : options.Value.PrefillChunkTokens;

    private BuiltinShard Load(ShardSpec spec, ModelFolder model, IProgress<ShardProgress> progress, CancellationToken cancellationToken)
    {
        try
        {
            // Before the weights: a tokenizer or template that can't be used is told at once.
            var generation = spec.IsLastStage ? CreateGeneration(spec, model, ModelTokenizer.Load(model.Path)) : null;
            var weights = StageWeightsLoader.Load(model, spec.FirstLayer, spec.LayerCount, KernelSet.Best);
            return Assemble(spec, model, weights, generation, progress, cancellationToken);
        }
        catch (ModelFileException exception)
        {
            throw new ShardException(exception.Message, exception);
        }
    }

    private BuiltinShard Assemble(
        ShardSpec spec,
        ModelFolder model,
        StageWeights weights,
        Func<SequenceScheduler, GenerationRunner>? createGeneration,
        IProgress<ShardProgress> progress,
        CancellationToken cancellationToken)
    {
        var chunk = ChunkTokens(spec);
        var memory = BuiltinMemory.Stage(model, spec.FirstLayer, spec.LayerCount, spec.ContextTokens, spec.MaxConcurrency, chunk, pool.Workers);
        StageDecoder decoder;
        KvCache cache;
        try
        {
            weights.Prefetch(new ByteProgress(progress, memory.WeightBytes), cancellationToken);
            cache = new KvCache(model.Config, spec.LayerCount, spec.ContextTokens, spec.MaxConcurrency);
            var rows = BuiltinMemory.RowsPerStep(spec.MaxConcurrency, chunk);
            decoder = new StageDecoder(model.Config, weights, cache, KernelSet.Best, pool, rows, spec.MaxConcurrency);
        }
        catch
        {
            weights.Dispose();
            throw;
        }

        var parts = new StageParts(decoder, cache, metrics.ForStage(spec, clock.Time), model.Config.HiddenSize, model.Config.VocabularySize, Artificial);
        var microBatches = Math.Max(1, spec.MicroBatches);
        var limits = new StepLimits(chunk, microBatches, Math.Max(microBatches, spec.WorldSize));
        var services = new ShardServices(clock.Time, clock.ShardLogger, limits);
        return new BuiltinShard(spec, parts, memory, directory, services, createGeneration);
    }

    private Func<SequenceScheduler, GenerationRunner> CreateGeneration(ShardSpec spec, ModelFolder model, ModelTokenizer tokenizer)
    {
        if (tokenizer.VocabularySize > model.Config.VocabularySize)
        {
            throw new ShardException(
                $"{model.Path}: tokenizer.json has {tokenizer.VocabularySize} tokens, but config.json says vocab_size {model.Config.VocabularySize}; "
                + "they are not of one model.");
        }

        var requestModel = new RequestModel(
            tokenizer,
            ChatRenderer.Load(model, clock.Time),
            model.GenerationDefaults,
            model.EosTokenIds.ToFrozenSet(),
            model.Config.VocabularySize,
            spec.ContextTokens);
        return scheduler => new GenerationRunner(new RequestParser(requestModel), tokenizer, scheduler, clock.Time);
    }

    private sealed class ByteProgress(IProgress<ShardProgress> progress, long total) : IProgress<long>
    {
        public void Report(long value) => progress.Report(new ShardProgress(Math.Min(value, total), total, WaitingForNeighbours: false));
    }
}

/// <summary>Clock and logger of the engine's shards.</summary>
internal sealed record BuiltinClock(TimeProvider Time, ILogger<BuiltinShard> ShardLogger);
