using System.Globalization;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>Writes an <see cref="ApiError"/> as a whole response.</summary>
internal static class ErrorResponses
{
    public static async Task WriteAsync(HttpResponse response, ApiError error, string requestId, CancellationToken cancellationToken)
    {
        response.StatusCode = error.Status;
        if (error.RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }
        else if (error.Status is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status500InternalServerError)
        {
            // OpenAI's SDKs would send it twice more; without a Retry-After there is nothing to wait for.
            response.Headers["x-should-retry"] = "false";
        }

        await JsonResponses.WriteAsync(response, error.ToJson(requestId), cancellationToken);
    }
}

/// <summary>Writes bytes that are JSON already.</summary>
internal static class JsonResponses
{
    public static async Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = json.Length;
        // Kestrel drops the body of an answer to HEAD.
        await response.Body.WriteAsync(json, cancellationToken);
    }
}
