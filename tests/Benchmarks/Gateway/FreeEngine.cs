using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines;

namespace ClusterLlm.Benchmarks.Gateway;

/// <summary>An engine whose tokens cost nothing: what is measured around it is the cost of gateway and agent.</summary>
internal sealed class FreeEngine : IEngine
{
    public const string EngineName = "free";

    public string Name => EngineName;

    public ValueTask<EngineFacts> DescribeAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(new EngineFacts("1", null, [], ImmutableDictionary<string, string>.Empty));

    public EngineVerdict Supports(ModelFolder model) => EngineVerdict.Supported;

    public ValueTask<ShardCheck> CheckAsync(ShardSpec spec, ModelFolder model, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new ShardCheck([], 0, 0, 0));

    public Task<IShard> StartAsync(ShardSpec spec, ModelFolder model, IProgress<ShardProgress> progress, CancellationToken cancellationToken) =>
        Task.FromResult<IShard>(new FreeShard(spec));
}

/// <summary>
/// Answers with <c>max_tokens</c> chunks. Each one carries the moment at which it was made (<c>"t"</c>, a <see cref="Stopwatch"/> timestamp, which is
/// one clock for all processes of a machine), so that whoever receives it knows how long it travelled.
/// </summary>
internal sealed class FreeShard(ShardSpec spec) : IShard
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ShardSpec Spec { get; } = spec;

    public Task Completion => _ended.Task;

    public async IAsyncEnumerable<GenerationEvent> GenerateAsync(GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (tokens, pace) = Read(request.Body);
        using var timer = pace > TimeSpan.Zero ? new PeriodicTimer(pace) : null;
        for (var token = 0; token < tokens; token++)
        {
            // The first token comes at once: then the time to it is what the way adds.
            if (timer is not null && token > 0)
            {
                await timer.WaitForNextTickAsync(cancellationToken);
            }

            yield return new GenerationEvent.Chunk(Chunk(), 1);
        }

        yield return new GenerationEvent.Finished("stop", 1, 0, tokens, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
    }

    public ShardReading Read() => new(0, 0, 0, 0, 0, 0, 0, TimeSpan.Zero);

    public ValueTask DisposeAsync()
    {
        _ended.TrySetResult();
        return ValueTask.CompletedTask;
    }

    private static (int Tokens, TimeSpan Pace) Read(ReadOnlyMemory<byte> body)
    {
        using var json = JsonDocument.Parse(body);
        var pace = json.RootElement.TryGetProperty("pace_ms", out var milliseconds) ? milliseconds.GetInt32() : 0;
        return (json.RootElement.GetProperty("max_tokens").GetInt32(), TimeSpan.FromMilliseconds(pace));
    }

    private static byte[] Chunk() => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"id":"x","object":"chat.completion.chunk","created":1,"model":"free","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}],"t":{{Stopwatch.GetTimestamp()}}}"""));
}
