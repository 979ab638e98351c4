using Microsoft.AspNetCore.Cors.Infrastructure;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>What holds for every request under <c>/v1</c>: it has an id, and whatever goes wrong is answered in OpenAI's shape.</summary>
internal sealed partial class OpenAiSurface(RequestDelegate next, ILogger<OpenAiSurface> logger)
{
    public const string Prefix = "/v1";

    public async Task InvokeAsync(HttpContext context)
    {
        var requestId = RequestIds.Assign(context);
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException failure)
        {
            await FailAsync(context, new(failure.StatusCode, $"The request can't be read: {failure.Message}", ApiError.TypeOf(failure.StatusCode)));
        }
        catch (Exception failure) when (context.RequestAborted.IsCancellationRequested && failure is OperationCanceledException or IOException)
        {
            LogClientGone(requestId);
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            LogDefect(failure, requestId);
            await FailAsync(context, ApiError.Internal($"The gateway failed on this request; its log tells more under the id {requestId}."));
        }
    }

    /// <summary>For paths and methods that no endpoint serves.</summary>
    public static Task UnknownAsync(HttpContext context)
    {
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            context.Response.Headers.Allow = "GET, HEAD, POST, OPTIONS";
            return Task.CompletedTask;
        }

        var error = new ApiError(
            StatusCodes.Status404NotFound,
            $"Unknown request URL: {context.Request.Method} {context.Request.Path}. Served are GET /v1/models, POST /v1/chat/completions and POST /v1/completions.",
            ApiError.InvalidRequest,
            null,
            "unknown_url");
        return ErrorResponses.WriteAsync(context.Response, error, RequestIds.Of(context), context.RequestAborted);
    }

    /// <summary>Pages in a browser may call only when the settings name them.</summary>
    public static void Configure(CorsPolicyBuilder policy, InferenceOptions options) => policy
        .SetIsOriginAllowed(origin => Origins.IsAllowed(origin, options.AllowedOrigins))
        .WithMethods(HttpMethods.Get, HttpMethods.Head, HttpMethods.Post)
        .AllowAnyHeader()
        .WithExposedHeaders(RequestIds.HeaderName, "Retry-After")
        .SetPreflightMaxAge(TimeSpan.FromMinutes(10));

    private static async Task FailAsync(HttpContext context, ApiError error)
    {
        if (!context.Response.HasStarted)
        {
            await ErrorResponses.WriteAsync(context.Response, error, RequestIds.Of(context), context.RequestAborted);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The client of request {RequestId} went away.")]
    private partial void LogClientGone(string requestId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} met a defect of the gateway.")]
    private partial void LogDefect(Exception failure, string requestId);
}

/// <summary>Which browser origins may call.</summary>
internal static class Origins
{
    /// <param name="origin">The header's value, for example <c>http://localhost:3000</c>.</param>
    /// <param name="allowed">From the settings; <c>*</c> allows all.</param>
    public static bool IsAllowed(string origin, IEnumerable<string> allowed) =>
        allowed.Any(entry => entry == "*" || entry.TrimEnd('/').Equals(origin, StringComparison.OrdinalIgnoreCase));
}
