using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>Lets only those calls through that <see cref="CallRules"/> allow the caller, whose certificate is checked again for each call.</summary>
internal sealed partial class PeerGate(RequestDelegate next, CallRules rules, ClusterCredentials credentials, ILogger<PeerGate> logger)
{
    private static readonly object PeerKey = new();

    public Task InvokeAsync(HttpContext context)
    {
        var certificate = context.Connection.ClientCertificate;
        var verdict = certificate is null ? null : Verify(context, certificate);
        if (verdict?.Peer is { } peer)
        {
            context.Features.Set(peer);
        }

        var path = context.Request.Path.Value ?? "";
        if (rules.Allows(path, verdict?.Peer?.Role ?? PeerRoles.None))
        {
            return next(context);
        }

        var caller = verdict?.Peer is { } known ? known.ToString() : verdict?.Problem ?? "no certificate was shown";
        LogRefused(path, caller, context.Connection.RemoteIpAddress);
        return verdict?.Peer is null
            ? RefuseAsync(context, StatusCodes.Status401Unauthorized, StatusCode.Unauthenticated, $"Not answered: {caller}.")
            : RefuseAsync(context, StatusCodes.Status403Forbidden, StatusCode.PermissionDenied, $"Not answered: {caller} may not call {path}.");
    }

    /// <summary>The chain is checked once a connection, the revocation list for each call.</summary>
    private PeerVerdict Verify(HttpContext context, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
        var items = context.Features.Get<IConnectionItemsFeature>()?.Items;
        if (items is not null && items.TryGetValue(PeerKey, out var known) && known is PeerIdentity peer && !credentials.Revoked.Contains(peer.Serial))
        {
            return new(peer, "");
        }

        var verdict = credentials.Verify(certificate);
        if (items is not null)
        {
            items[PeerKey] = verdict.Peer;
        }

        return verdict;
    }

    private static Task RefuseAsync(HttpContext context, int status, StatusCode code, string message)
    {
        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true)
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        }

        // A response that is only headers: what a gRPC server sends for a call that it does not begin.
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = ((int)code).ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString(message);
        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A call of {Path} from {Remote} was refused: {Caller}")]
    private partial void LogRefused(string path, string caller, System.Net.IPAddress? remote);
}
