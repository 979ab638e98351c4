using System.Net;
using ClusterLlm.Coordinator.Inference;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Keeps web pages in somebody's browser from driving this Coordinator: by a name that they point at it, or by requests across origins.</summary>
internal sealed class BrowserGuard(RequestDelegate next, IOptions<SecurityOptions> security, IOptions<InferenceOptions> inference)
{
    private readonly HostNames _hosts = new(security.Value.AllowedHosts, Environment.MachineName);

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (!_hosts.Allows(request.Host.Host))
        {
            return ApiRefusals.WriteAsync(
                context, StatusCodes.Status421MisdirectedRequest, $"This Coordinator is not called '{request.Host.Host}'; add the name to Security:AllowedHosts if it is.", "unknown_host", null);
        }

        var origin = request.Headers.Origin.ToString();
        if (BrowserRules.Problem(origin, $"{request.Scheme}://{request.Host}", request.Headers["Sec-Fetch-Site"].ToString(), request.Headers["Sec-Fetch-Mode"].ToString(), inference.Value.AllowedOrigins) is { } problem)
        {
            return ApiRefusals.WriteAsync(context, StatusCodes.Status403Forbidden, problem, "origin_not_allowed", null);
        }

        return next(context);
    }
}

/// <summary>Names that a request may call this Coordinator by. A page can point a name of its own at any address, but no IP address and none of these.</summary>
internal sealed class HostNames(IEnumerable<string> allowed, string machine)
{
    private readonly HashSet<string> _names = new([.. allowed, "localhost", machine, $"{machine}.local"], StringComparer.OrdinalIgnoreCase);

    public bool Allows(string host) => IPAddress.TryParse(host.Trim('[', ']'), out _) || _names.Contains(host.TrimEnd('.'));
}

/// <summary>Which requests of browsers are answered.</summary>
internal static class BrowserRules
{
    /// <param name="origin">The header; empty when there is none, as from programs that are no browsers.</param>
    /// <param name="self">This Coordinator as the request calls it.</param>
    /// <param name="fetchSite">Sec-Fetch-Site; empty from programs and old browsers.</param>
    /// <param name="fetchMode">Sec-Fetch-Mode.</param>
    /// <param name="allowed">Origins from the settings; <c>*</c> allows all.</param>
    /// <returns>Why not; <see langword="null"/> when it is answered.</returns>
    public static string? Problem(string origin, string self, string fetchSite, string fetchMode, IEnumerable<string> allowed)
    {
        if (origin.Length > 0)
        {
            return origin.Equals(self, StringComparison.OrdinalIgnoreCase) || Origins.IsAllowed(origin, allowed)
                ? null
                : $"Pages of {(origin.Length > 200 ? origin[..200] : origin)} may not call this Coordinator; name the origin in Inference:AllowedOrigins to let them.";
        }

        // Without an Origin it is a GET: an image, a frame or a link. A person who follows a link sees the answer; the page that has it does not.
        return fetchSite is "cross-site" or "same-site" && fetchMode != "navigate"
            ? "Another site's page may not fetch this; name its origin in Inference:AllowedOrigins to let it."
            : null;
    }
}
