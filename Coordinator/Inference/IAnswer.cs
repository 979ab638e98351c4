using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>How an answer reaches the client: as a stream of events or as one JSON object.</summary>
internal interface IAnswer
{
    /// <summary>Takes one chunk. What it writes may stay in a buffer until <see cref="FlushAsync"/>.</summary>
    /// <exception cref="System.Text.Json.JsonException">The agent's chunk is not a JSON object.</exception>
    void Add(GenerateChunk chunk);

    /// <summary>Sends what is buffered; called when no further event is waiting.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>Nothing came for a while: shows the client that the answer is still being made, where that is possible.</summary>
    ValueTask KeepAliveAsync(CancellationToken cancellationToken);

    ValueTask FinishAsync(GenerateFinished finished, CancellationToken cancellationToken);

    /// <summary>Ends the answer with an error: as a status while the head of the response is not sent yet, within the answer after that.</summary>
    ValueTask FailAsync(ApiError error, CancellationToken cancellationToken);
}
