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
            return JsonDocument.Parse(body, JsonText.ReadOptions);
        }
        catch (JsonException failure)
        {
            error = ApiError.BadRequest(
                $"The body is not valid JSON at line {failure.LineNumber + 1}, column {failure.BytePositionInLine + 1}: {Reason(failure)}");
            return null;
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
