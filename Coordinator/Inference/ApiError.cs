using System.Text.Json;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>A failure in OpenAI's terms: <c>{"error": {"message", "type", "param", "code"}}</c> with an HTTP status.</summary>
/// <param name="Message">What, which, the value, what to do: clients show it to people.</param>
/// <param name="Type">OpenAI's family, for example <c>invalid_request_error</c>.</param>
/// <param name="Param">The field at fault, for example <c>messages[0].role</c>.</param>
/// <param name="RetryAfterSeconds">When a second try may go well; <see langword="null"/> where trying again can't help or the client's own back-off is right.</param>
internal sealed record ApiError(int Status, string Message, string Type, string? Param = null, string? Code = null, int? RetryAfterSeconds = null)
{
    public const string InvalidRequest = "invalid_request_error";
    public const string RateLimit = "rate_limit_error";
    public const string Server = "server_error";

    public static ApiError BadRequest(string message, string? param = null, string? code = null) =>
        new(StatusCodes.Status400BadRequest, message, InvalidRequest, param, code);

    public static ApiError Unavailable(string message, string code, int? retryAfterSeconds) =>
        new(StatusCodes.Status503ServiceUnavailable, message, Server, null, code, retryAfterSeconds);

    public static ApiError Internal(string message) =>
        new(StatusCodes.Status500InternalServerError, message, Server, null, "internal_error");

    /// <summary>The family that fits <paramref name="status"/>.</summary>
    public static string TypeOf(int status) => status switch
    {
        StatusCodes.Status429TooManyRequests => RateLimit,
        >= 500 => Server,
        _ => InvalidRequest,
    };

    /// <summary>The JSON object, UTF-8, on one line (it also travels as the data of a server-sent event).</summary>
    public byte[] ToJson(string? requestId)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JsonText.Encoder }))
        {
            json.WriteStartObject();
            json.WriteStartObject("error");
            json.WriteString("message", Message);
            json.WriteString("type", Type);
            json.WriteString("param", Param);
            json.WriteString("code", Code);
            if (requestId is not null)
            {
                json.WriteString("request_id", requestId);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
