namespace ClusterLlm.NodeAgent.Engines;

/// <summary>Which of OpenAI's request bodies it is.</summary>
internal enum RequestKind
{
    ChatCompletion,
    Completion,
}

/// <summary>A client's request as it came.</summary>
/// <param name="Body">UTF-8 JSON.</param>
internal sealed record GenerationRequest(string RequestId, RequestKind Kind, ReadOnlyMemory<byte> Body);

/// <summary>What a generation tells while it runs.</summary>
internal abstract record GenerationEvent
{
    private GenerationEvent()
    {
    }

    /// <summary>While the request waits or prefills.</summary>
    /// <param name="QueuePosition">Requests before this one; 0 once it runs.</param>
    internal sealed record Progress(int QueuePosition, int PrefilledTokens, int PromptTokens) : GenerationEvent;

    /// <summary>A chunk in OpenAI's streaming shape, without <c>usage</c>.</summary>
    /// <param name="TokenCount">Tokens that it stands for: chunks and tokens are not one to one.</param>
    internal sealed record Chunk(ReadOnlyMemory<byte> Json, int TokenCount) : GenerationEvent;

    /// <summary>The last event of a generation that went well.</summary>
    /// <param name="TimeToFirstToken">From the request's arrival at the engine, queueing included.</param>
    /// <param name="Decode">From the first token to the last.</param>
    internal sealed record Finished(
        string FinishReason,
        int PromptTokens,
        int CachedTokens,
        int CompletionTokens,
        TimeSpan TimeToFirstToken,
        TimeSpan Queue,
        TimeSpan Prefill,
        TimeSpan Decode) : GenerationEvent;
}

/// <summary>A generation that failed, in the terms of OpenAI's error object.</summary>
internal sealed class GenerationException(int status, string message, string? param = null, string? code = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The HTTP status that fits: 400, 413, 422, 429, 500 or 503.</summary>
    public int Status { get; } = status;

    /// <summary>The field of the body that is at fault, for example <c>messages[0].role</c>.</summary>
    public string? Param { get; } = param;

    /// <summary>OpenAI's <c>code</c>, for example <c>context_length_exceeded</c>.</summary>
    public string? Code { get; } = code;
}
