using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>Runs one body on the server and turns what comes back into events.</summary>
internal sealed class AnswerRun(ServerRequest request, ServerBody body, AnswerServices services)
{
    private readonly ChunkTranslator _translator = new(request, body.Index);
    private readonly AnswerTrace _trace = new(Activity.Current?.Context ?? default, services.Time.GetUtcNow(), body.Index);
    private readonly long _arrivedAt = services.Time.GetTimestamp();
    private long _admittedAt;
    private long _firstAt;
    private long _lastAt;
    private bool _isDone;

    public ServerBody Body => body;

    /// <summary>Set once the answer is complete.</summary>
    public string? FinishReason { get; private set; }

    public ServerUsage? Usage { get; private set; }

    public TimeSpan Queue => services.Time.GetElapsedTime(_arrivedAt, _admittedAt);

    public TimeSpan TimeToFirstToken => services.Time.GetElapsedTime(_arrivedAt, _firstAt);

    public TimeSpan Prefill => services.Time.GetElapsedTime(_admittedAt, _firstAt);

    public TimeSpan Decode => services.Time.GetElapsedTime(_firstAt, _lastAt);

    /// <summary>Tokens in KV caches now, prompt and answer.</summary>
    public int KvTokens { get; private set; }

    public async IAsyncEnumerable<GenerationEvent> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new GenerationEvent.Progress(services.Admission.Waiting, 0, 0);
        using var slot = await services.Admission.EnterAsync(cancellationToken).ConfigureAwait(false);
        _admittedAt = services.Time.GetTimestamp();
        services.Started(this);
        try
        {
            yield return new GenerationEvent.Progress(0, 0, 0);
            await foreach (var line in services.Client.StreamAsync(request.Path, body.Json, cancellationToken).ConfigureAwait(false))
            {
                if (Take(line) is { } happening)
                {
                    yield return happening;
                }
            }
        }
        finally
        {
            services.Ended(this);
            _trace.Record(Queue, _firstAt == 0 ? null : Prefill, Decode, Usage);
        }

        // A server that dies closes the connection as one that has finished does.
        if (!_isDone || FinishReason is null)
        {
            throw new EndOfStreamException("the answer ended without [DONE]");
        }

        _firstAt = _firstAt == 0 ? _lastAt = services.Time.GetTimestamp() : _firstAt;
        services.Throughput.Prefilled((Usage?.PromptTokens ?? 0) - (Usage?.CachedTokens ?? 0), Prefill);
    }

    private GenerationEvent? Take(ServerLine line)
    {
        switch (line)
        {
            case ServerLine.Keepalive keepalive:
                KvTokens = keepalive.Processed;
                return new GenerationEvent.Progress(0, keepalive.Processed, keepalive.Total);
            case ServerLine.Data data:
                return Take(data.Json);
            default:
                _isDone = true;
                return null;
        }
    }

    private GenerationEvent.Chunk? Take(ReadOnlyMemory<byte> json)
    {
        TranslatedChunk chunk;
        try
        {
            chunk = _translator.Translate(json);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"the server wrote a chunk that can't be read: {error.Message}", error);
        }

        FinishReason = chunk.FinishReason ?? FinishReason;
        Usage = chunk.Usage ?? Usage;
        if (chunk.TokenCount > 0)
        {
            Count(chunk.TokenCount);
        }

        return chunk.Json.IsEmpty ? null : new GenerationEvent.Chunk(chunk.Json, chunk.TokenCount);
    }

    private void Count(int tokens)
    {
        _lastAt = services.Time.GetTimestamp();
        _firstAt = _firstAt == 0 ? _lastAt : _firstAt;
        KvTokens += tokens;
        services.Throughput.Decoded(tokens);
    }
}

/// <summary>What an answer's run needs of its shard.</summary>
/// <param name="Started">Called when the run has its slot.</param>
/// <param name="Ended">Called when it gives the slot back.</param>
internal sealed record AnswerServices(
    ServerClient Client,
    Admission Admission,
    Throughput Throughput,
    TimeProvider Time,
    Action<AnswerRun> Started,
    Action<AnswerRun> Ended);
