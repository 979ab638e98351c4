using System.Buffers;
using System.Text;
using System.Text.Json;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>
/// An answer as server-sent events. The head of the response is held back until the first chunk (or the first keep-alive), so that an early failure is
/// still an HTTP status. <c>[DONE]</c> is sent only when all went well: clients take a clean end as a complete answer.
/// </summary>
internal sealed class StreamedAnswer : IAnswer
{
    private static readonly byte[] KeepAlive = ": keepalive\n\n"u8.ToArray();
    private static readonly byte[] Done = "data: [DONE]\n\n"u8.ToArray();

    private readonly HttpResponse _response;
    private readonly AnswerIdentity _identity;
    private readonly bool _includeUsage;
    private readonly byte[] _head;
    private readonly byte[] _tail;
    private bool _unsent;

    public StreamedAnswer(HttpResponse response, AnswerIdentity identity, bool includeUsage)
    {
        _response = response;
        _identity = identity;
        _includeUsage = includeUsage;
        _head = Head(identity);
        _tail = includeUsage ? ",\"usage\":null}\n\n"u8.ToArray() : "}\n\n"u8.ToArray();
    }

    public void Add(GenerateChunk chunk)
    {
        // Parsed before the response begins: a chunk that is no JSON is an error like any other.
        ChunkPatcher.Write(_response.BodyWriter, _head, chunk.Json.Span, _tail);
        Begin();
        _unsent = true;
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_unsent)
        {
            _unsent = false;
            await _response.BodyWriter.FlushAsync(cancellationToken);
        }
    }

    public async ValueTask KeepAliveAsync(CancellationToken cancellationToken)
    {
        Begin();
        await _response.BodyWriter.WriteAsync(KeepAlive, cancellationToken);
    }

    public async ValueTask FinishAsync(GenerateFinished finished, CancellationToken cancellationToken)
    {
        Begin();
        if (_includeUsage)
        {
            WriteUsage(finished);
        }

        await _response.BodyWriter.WriteAsync(Done, cancellationToken);
    }

    public async ValueTask FailAsync(ApiError error, CancellationToken cancellationToken)
    {
        if (!_response.HasStarted && !_unsent)
        {
            await ErrorResponses.WriteAsync(_response, error, _identity.RequestId, cancellationToken);
            return;
        }

        var writer = _response.BodyWriter;
        writer.Write("data: "u8);
        writer.Write(error.ToJson(_identity.RequestId));
        writer.Write("\n\n"u8);
        await writer.FlushAsync(cancellationToken);
    }

    private void Begin()
    {
        if (_response.HasStarted || _response.ContentType is not null)
        {
            return;
        }

        _response.ContentType = "text/event-stream; charset=utf-8";
        _response.Headers.CacheControl = "no-cache, no-store";
        // Proxies that buffer would turn a stream of tokens into one late answer.
        _response.Headers["X-Accel-Buffering"] = "no";
    }

    private void WriteUsage(GenerateFinished finished)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JsonText.Encoder }))
        {
            json.WriteStartObject();
            json.WriteString("id", _identity.CompletionId);
            json.WriteString("object", ChunkObject(_identity.Kind));
            json.WriteNumber("created", _identity.CreatedUnixSeconds);
            json.WriteString("model", _identity.Model);
            json.WriteStartArray("choices");
            json.WriteEndArray();
            Usage.Write(json, finished);
            json.WriteEndObject();
        }

        var writer = _response.BodyWriter;
        writer.Write("data: "u8);
        writer.Write(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
        writer.Write("\n\n"u8);
    }

    private static string ChunkObject(RequestKind kind) => kind == RequestKind.ChatCompletion ? "chat.completion.chunk" : "text_completion";

    /// <summary>The same for every chunk of an answer, so it is made once.</summary>
    private static byte[] Head(AnswerIdentity identity)
    {
        var id = JsonEncodedText.Encode(identity.CompletionId, JsonText.Encoder);
        var model = JsonEncodedText.Encode(identity.Model, JsonText.Encoder);
        return Encoding.UTF8.GetBytes($$"""data: {"id":"{{id}}","created":{{identity.CreatedUnixSeconds}},"model":"{{model}}" """.TrimEnd());
    }
}
