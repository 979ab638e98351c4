using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>A body that was read, or the error that it is answered with.</summary>
internal readonly record struct BodyResult(ReadOnlyMemory<byte> Bytes, ApiError? Error);

/// <summary>Reads a request's body whole, up to a limit.</summary>
internal static class RequestBody
{
    private const int FirstBufferBytes = 16 * 1024;

    /// <summary>Reads to the end of the body. Whatever <c>Content-Type</c> says: <c>curl -d</c> calls its JSON a form.</summary>
    /// <param name="limit">In bytes; a longer body gives 413, without being read where its length is announced.</param>
    public static async Task<BodyResult> ReadAsync(HttpContext context, int limit, CancellationToken cancellationToken)
    {
        var request = context.Request;
        if (request.ContentLength > limit)
        {
            return TooLarge(request.ContentLength.Value, limit);
        }

        // The limit is checked here, so that it is answered in OpenAI's shape and not with Kestrel's bare 413.
        if (context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = null;
        }

        var buffer = new ArrayBufferWriter<byte>((int)(request.ContentLength ?? FirstBufferBytes) + 1);
        int read;
        while ((read = await request.Body.ReadAsync(buffer.GetMemory(), cancellationToken)) > 0)
        {
            buffer.Advance(read);
            if (buffer.WrittenCount > limit)
            {
                return TooLarge(null, limit);
            }
        }

        return new(WithoutByteOrderMark(buffer.WrittenMemory), null);
    }

    /// <summary>Parses JSON; an error names line and column, both from 1.</summary>
    public static JsonDocument? Parse(ReadOnlyMemory<byte> body, out ApiError? error)
    {
        error = null;
        if (body.IsEmpty)
        {
            error = ApiError.BadRequest("The body is empty: send a JSON object.");
            return null;
        }

        if (!Utf8.IsValid(body.Span))
        {
            error = ApiError.BadRequest("The body is not valid UTF-8.");
            return null;
        }

        try
        {
            if (FindHalfSurrogatePair(body.Span) is { } position)
            {
                error = ApiError.BadRequest($"The text that begins at byte {position} of the body has a \\u escape that is half a surrogate pair: that is no text.");
                return null;
            }

            return JsonDocument.Parse(body, JsonText.ReadOptions);
        }
        catch (JsonException failure)
        {
            error = ApiError.BadRequest(
                $"The body is not valid JSON at line {failure.LineNumber + 1}, column {failure.BytePositionInLine + 1}: {Reason(failure)}");
            return null;
        }
    }

    /// <summary>
    /// JSON allows <c>"\ud800"</c>, but no reader can make text of it, and each finds out only when the text is asked for. So it is refused here, once, for
    /// everything that reads the body later.
    /// </summary>
    /// <returns>Where the text begins, in bytes; <see langword="null"/> when all is text.</returns>
    private static long? FindHalfSurrogatePair(ReadOnlySpan<byte> body)
    {
        if (body.IndexOf("\\ud"u8) < 0 && body.IndexOf("\\uD"u8) < 0)
        {
            return null;
        }

        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = JsonText.ReadOptions.MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped && !IsText(ref reader))
            {
                return reader.TokenStartIndex;
            }
        }

        return null;
    }

    private static bool IsText(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() is not null;
        }
        catch (InvalidOperationException)
        {
            // How the reader says that an escape is half a pair.
            return false;
        }
    }

    /// <summary>The reader's own sentence, without the position that it appends in its own way.</summary>
    private static string Reason(JsonException failure)
    {
        var end = failure.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? failure.Message : failure.Message[..end];
    }

    private static ReadOnlyMemory<byte> WithoutByteOrderMark(ReadOnlyMemory<byte> body) =>
        body.Span.StartsWith("\uFEFF"u8) ? body[3..] : body;

    private static BodyResult TooLarge(long? length, int limit) => new(default, new(
        StatusCodes.Status413PayloadTooLarge,
        $"The body {(length is null ? "" : $"has {length} bytes and ")}is larger than the limit of {limit} bytes (setting Inference:MaxBodyBytes).",
        ApiError.InvalidRequest,
        null,
        "request_too_large"));
}
