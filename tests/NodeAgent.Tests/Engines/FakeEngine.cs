using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;

namespace ClusterLlm.NodeAgent.Tests.Engines;

/// <summary>An engine that holds nothing and does what a test tells it.</summary>
internal sealed class FakeEngine : IEngine
{
    private int _loads;

    public string Name { get; init; } = "fake";

    /// <summary>What a shard's check gives; bytes are taken from here and from nowhere else.</summary>
    public ShardCheck Check { get; set; } = new([], WeightBytes: 600, KvCacheBytes: 300, WorkspaceBytes: 100);

    public EngineVerdict Verdict { get; set; } = EngineVerdict.Supported;

    /// <summary>Loading ends when this does; completed unless a test holds it.</summary>
    public TaskCompletionSource Loaded { get; set; } = Completed();

    /// <summary>Disposing a shard ends when this does; completed unless a test holds it.</summary>
    public TaskCompletionSource Freed { get; set; } = Completed();

    public ImmutableList<FakeShard> Shards { get; private set; } = [];

    /// <summary>How often loading began.</summary>
    public int Loads => Volatile.Read(ref _loads);

    public Func<GenerationRequest, CancellationToken, IAsyncEnumerable<GenerationEvent>> Generate { get; set; } = AnswerAsync;

    public ValueTask<EngineFacts> DescribeAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(new EngineFacts("1.0", null, ["llama"], ImmutableDictionary<string, string>.Empty.Add("simd", "none")));

    public EngineVerdict Supports(ModelFolder model) => Verdict;

    public ValueTask<ShardCheck> CheckAsync(ShardSpec spec, ModelFolder model, CancellationToken cancellationToken) => ValueTask.FromResult(Check);

    public async Task<IShard> StartAsync(ShardSpec spec, ModelFolder model, IProgress<ShardProgress> progress, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _loads);
        progress.Report(new ShardProgress(300, 600, WaitingForNeighbours: false));
        progress.Report(new ShardProgress(600, 600, WaitingForNeighbours: true));
        await Loaded.Task.WaitAsync(cancellationToken);
        var shard = new FakeShard(spec, this);
        Shards = Shards.Add(shard);
        return shard;
    }

    public static TaskCompletionSource Held() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Two chunks and the end.</summary>
    public static async IAsyncEnumerable<GenerationEvent> AnswerAsync(
        GenerationRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        yield return new GenerationEvent.Progress(0, 4, 4);
        yield return new GenerationEvent.Chunk(Encoding.UTF8.GetBytes("{\"a\":1}"), 1);
        yield return new GenerationEvent.Chunk(Encoding.UTF8.GetBytes("{\"a\":2}"), 2);
        yield return new GenerationEvent.Finished(
            "stop", 4, 1, 3, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(40));
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }
}

/// <summary>A shard of <see cref="FakeEngine"/>.</summary>
internal sealed class FakeShard(ShardSpec spec, FakeEngine engine) : IShard
{
    private readonly TaskCompletionSource _completion = FakeEngine.Held();

    public ShardSpec Spec { get; } = spec;

    public Task Completion => _completion.Task;

    public bool IsDisposed { get; private set; }

    public void Fail(Exception error) => _completion.SetException(error);

    public IAsyncEnumerable<GenerationEvent> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken) =>
        engine.Generate(request, cancellationToken);

    public ShardReading Read() => new(1_000, 7, 64, 2, 1, 12.5, 100, TimeSpan.FromMilliseconds(3));

    public async ValueTask DisposeAsync()
    {
        await engine.Freed.Task;
        IsDisposed = true;
    }
}
