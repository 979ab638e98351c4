using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>Whether a port also takes connections of those who have no certificate yet.</summary>
public enum PeerDemand
{
    /// <summary>The handshake fails without a certificate of the cluster.</summary>
    Certificate,

    /// <summary>
    /// Anybody may connect, to get a certificate; <see cref="PeerGate"/> answers other calls only to those who showed a good one, and tells the rest why not.
    /// </summary>
    CertificateOrNone,
}

/// <summary>Mutual TLS on a Kestrel port, and an end to connections whose certificate gets revoked.</summary>
public sealed partial class PeerListener
{
    private static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(10);

    private readonly ClusterCredentials _credentials;
    private readonly ILogger<PeerListener> _logger;
    private readonly HashSet<ConnectionContext> _connections = [];
    private readonly Lock _gate = new();

    public PeerListener(ClusterCredentials credentials, ILogger<PeerListener> logger)
    {
        (_credentials, _logger) = (credentials, logger);
        credentials.RevokedMore += EndRevoked;
    }

    /// <summary>TLS versions that are offered; tests narrow them.</summary>
    internal SslProtocols Protocols { get; set; } = MutualTls.Protocols;

    /// <summary>Adds TLS with client certificates to <paramref name="listen"/>.</summary>
    public void Secure(ListenOptions listen, PeerDemand demand)
    {
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeLimit,
            OnConnection = context =>
            {
                var remote = context.Connection.RemoteEndPoint;
                // Read for each connection, so that a renewal or a first join needs no restart.
                var own = _credentials.Current ?? throw new AuthenticationException("This process has not joined a cluster yet.");
                return ValueTask.FromResult(MutualTls.ServerOptions(own, Protocols, certificate => Accept(certificate, demand, remote)));
            },
        });
        listen.Use(next => connection => FollowAsync(connection, next));
    }

    private bool Accept(X509Certificate2? certificate, PeerDemand demand, EndPoint? remote)
    {
        if (demand == PeerDemand.CertificateOrNone)
        {
            return true;
        }

        var verdict = _credentials.Verify(certificate);
        if (verdict.Peer is null)
        {
            LogRefused(remote, verdict.Problem);
        }

        return verdict.Peer is not null;
    }

    private async Task FollowAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        lock (_gate)
        {
            _connections.Add(connection);
        }

        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _connections.Remove(connection);
            }
        }
    }

    private void EndRevoked()
    {
        ConnectionContext[] open;
        lock (_gate)
        {
            open = [.. _connections];
        }

        foreach (var connection in open)
        {
            if (connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is { } certificate && _credentials.Revoked.Contains(certificate.SerialNumber))
            {
                LogEnded(connection.RemoteEndPoint, certificate.Subject);
                connection.Abort(new ConnectionAbortedException("The certificate was revoked."));
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection from {Remote} was refused: {Problem}")]
    private partial void LogRefused(EndPoint? remote, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "A connection from {Remote} was ended: the certificate {Subject} has been revoked")]
    private partial void LogEnded(EndPoint? remote, string subject);
}
