using System.Buffers;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>The id under which a request stands in logs, traces, errors and the <c>X-Request-Id</c> header.</summary>
internal static class RequestIds
{
    public const string HeaderName = "X-Request-Id";

    private const int LongestId = 128;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/");

    /// <summary>The id that <see cref="Assign"/> gave.</summary>
    public static string Of(HttpContext context) => (string)context.Items[HeaderName]!;

    /// <summary>Takes the client's id where it is usable, else a new one, and answers with it.</summary>
    public static string Assign(HttpContext context)
    {
        var id = Choose(context.Request.Headers[HeaderName]);
        context.Items[HeaderName] = id;
        context.Response.Headers[HeaderName] = id;
        return id;
    }

    /// <summary>A client's id goes into logs, so it is short and plain, or it is replaced.</summary>
    internal static string Choose(string? asked) =>
        asked is { Length: > 0 and <= LongestId } && !asked.AsSpan().ContainsAnyExcept(Allowed) ? asked : "req_" + Guid.NewGuid().ToString("N");
}
