using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.Coordinator.Inference;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Marks an endpoint that everybody may call, whether keys are asked for or not: what a machine needs before it has joined.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
internal sealed class OpenToAllAttribute : Attribute;

/// <summary>Asks for a key with the scope that the request needs, where keys are required.</summary>
internal sealed partial class ApiKeyGate(
    RequestDelegate next,
    ApiKeyRing keys,
    AttemptLimiter limiter,
    IOptions<SecurityOptions> security,
    IOptions<ClusterOptions> cluster,
    ILogger<ApiKeyGate> logger)
{
    private const string Scheme = "Bearer ";

    private readonly bool _required = security.Value.RequireApiKeys || cluster.Value.ListensBeyondLoopback;

    public async Task InvokeAsync(HttpContext context)
    {
        var needed = ApiScopeRules.Needed(context.Request.Method, context.Request.Path);
        if (!_required || needed == ApiScopes.None || context.GetEndpoint()?.Metadata.GetMetadata<OpenToAllAttribute>() is not null)
        {
            await next(context);
            return;
        }

        var address = context.Connection.RemoteIpAddress?.ToString() ?? "this process";
        if (limiter.Wait(address) is { Ticks: > 0 } wait)
        {
            await ApiRefusals.WriteAsync(context, StatusCodes.Status429TooManyRequests, $"Too many wrong API keys came from {address}.", "too_many_wrong_keys", wait);
            return;
        }

        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "An API key is required: send 'Authorization: Bearer cllm_…'. 'key create' on the Coordinator's machine makes one.", "missing_api_key");
            return;
        }

        if (await keys.FindAsync(header[Scheme.Length..].Trim(), context.RequestAborted) is not { } held)
        {
            var count = limiter.NoteFailure(address);
            LogWrongKey(address, count);
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "The API key is not known here or was revoked.", "invalid_api_key");
            return;
        }

        limiter.NoteSuccess(address);
        if (!ApiScopeRules.Allows(held, needed))
        {
            await RefuseAsync(
                context,
                StatusCodes.Status403Forbidden,
                $"This API key has the scope {ApiScopeRules.Text(held)}, but {context.Request.Method} {context.Request.Path} needs {ApiScopeRules.Text(needed)}.",
                "insufficient_scope");
            return;
        }

        await next(context);
    }

    private static Task RefuseAsync(HttpContext context, int status, string message, string code)
    {
        if (status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }

        return ApiRefusals.WriteAsync(context, status, message, code, retryAfter: null);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A wrong API key came from {Address}; {Count} in a row")]
    private partial void LogWrongKey(string address, int count);
}

/// <summary>Refusals in the shape that the path's clients expect: OpenAI's under <c>/v1</c>, problem details elsewhere.</summary>
internal static class ApiRefusals
{
    public static async Task WriteAsync(HttpContext context, int status, string message, string code, TimeSpan? retryAfter)
    {
        var seconds = retryAfter is { } wait ? (int?)Math.Ceiling(wait.TotalSeconds) : null;
        if (context.Request.Path.StartsWithSegments(OpenAiSurface.Prefix))
        {
            var error = new ApiError(status, message, ApiError.TypeOf(status), null, code, seconds);
            await ErrorResponses.WriteAsync(context.Response, error, RequestIds.Assign(context), context.RequestAborted);
            return;
        }

        if (seconds is { } number)
        {
            context.Response.Headers.RetryAfter = number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        await TypedResults.Problem(message, statusCode: status, title: "Not answered", extensions: new Dictionary<string, object?> { ["code"] = code })
            .ExecuteAsync(context);
    }
}
