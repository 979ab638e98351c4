using System.Text.Json;
using System.Text.Json.Nodes;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>An answer that is sent as one JSON object when it is complete.</summary>
internal sealed class CollectedAnswer(HttpResponse response, AnswerIdentity identity) : IAnswer
{
    private readonly ChunkCollector _chunks = new(identity.Kind);

    public void Add(GenerateChunk chunk) => _chunks.Add(
        JsonNode.Parse(chunk.Json.Span) as JsonObject ?? throw new JsonException("The chunk is not a JSON object."));

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>Nothing may be sent before the status is known.</summary>
    public ValueTask KeepAliveAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public async ValueTask FinishAsync(GenerateFinished finished, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JsonText.Encoder }))
        {
            json.WriteStartObject();
            json.WriteString("id", identity.CompletionId);
            json.WriteString("object", identity.ObjectName);
            json.WriteNumber("created", identity.CreatedUnixSeconds);
            json.WriteString("model", identity.Model);
            _chunks.WriteMembers(json, finished.FinishReason);
            Usage.Write(json, finished);
            json.WriteEndObject();
        }

        await JsonResponses.WriteAsync(response, buffer.GetBuffer().AsMemory(0, (int)buffer.Length), cancellationToken);
    }

    public async ValueTask FailAsync(ApiError error, CancellationToken cancellationToken) =>
        await ErrorResponses.WriteAsync(response, error, identity.RequestId, cancellationToken);
}
