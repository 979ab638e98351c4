using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ClusterLlm.ServiceDefaults.Security;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>A certificate fresh from the Coordinator, with the key that it was made for.</summary>
internal sealed record Enrolled(ECDsa Key, X509Certificate2 Certificate, X509Certificate2 Authority, Uri Coordinator) : IDisposable
{
    public void Dispose() => Key.Dispose();
}

/// <summary>Turns a token into a certificate: the authority is checked first, and nothing of the token leaves before that.</summary>
internal sealed class EnrollmentClient(TimeProvider time)
{
    /// <summary>Long: an answer that comes too late has spent the token all the same.</summary>
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(10);

    /// <param name="addresses">Tried in order until one is reached.</param>
    /// <exception cref="JoinRefusedException">What answers is not the token's cluster, or the Coordinator refused.</exception>
    /// <exception cref="RpcException">No address can be reached.</exception>
    public async Task<Enrolled> EnrollAsync(IReadOnlyList<Uri> addresses, JoinToken token, string nodeId, string machineId, CancellationToken cancellationToken)
    {
        RpcException? unreachable = null;
        foreach (var address in addresses)
        {
            try
            {
                using var authority = await GetAuthorityAsync(address, token, cancellationToken).ConfigureAwait(false);
                return await EnrollAsync(address, authority, token, nodeId, machineId, cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded && !cancellationToken.IsCancellationRequested)
            {
                unreachable = new RpcException(new Status(error.StatusCode, $"{address}: {error.Status.Detail}"));
            }
        }

        throw unreachable ?? throw new JoinRefusedException(
            "The join token names no address of the Coordinator: set Node:CoordinatorUrl, for example https://10.0.0.5:7421.");
    }

    private async Task<X509Certificate2> GetAuthorityAsync(Uri address, JoinToken token, CancellationToken cancellationToken)
    {
        using var channel = Open(address, new SocketsHttpHandler
        {
            UseProxy = false,
            // Anybody may answer this one call: it carries nothing, and its answer is worth nothing before the fingerprint below fits.
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        });
        var response = await new Proto.EnrollmentService.EnrollmentServiceClient(channel)
            .GetAuthorityAsync(new Proto.GetAuthorityRequest(), Options(cancellationToken)).ConfigureAwait(false);
        var authority = Load(response.Authority);
        var found = AuthorityFingerprint.Of(authority);
        if (found != token.Authority)
        {
            authority.Dispose();
            throw new JoinRefusedException(
                $"The Coordinator at {address} has the authority {found}, but the token is for {token.Authority}: it is another cluster's, or something in between answers in its place. Nothing was sent.");
        }

        CheckClock(DateTimeOffset.FromUnixTimeMilliseconds(response.NowUnixMs));
        return authority;
    }

    private async Task<Enrolled> EnrollAsync(
        Uri address, X509Certificate2 authority, JoinToken token, string nodeId, string machineId, CancellationToken cancellationToken)
    {
        using var channel = Open(address, new SocketsHttpHandler().WithCoordinatorOf(authority, time));
        var key = CertificateIssuer.NewKey();
        try
        {
            var response = await new Proto.EnrollmentService.EnrollmentServiceClient(channel).EnrollAsync(
                new Proto.EnrollRequest
                {
                    TokenId = token.Id,
                    TokenSecret = token.Secret,
                    NodeId = nodeId,
                    MachineId = machineId,
                    CertificateRequest = ByteString.CopyFrom(CertificateIssuer.CreateRequest(key)),
                },
                Options(cancellationToken)).ConfigureAwait(false);
            var certificate = Load(response.Certificate);
            CertificateCheck.Require(certificate, key, authority, nodeId, time.GetUtcNow());
            return new Enrolled(key, certificate, X509CertificateLoader.LoadCertificate(authority.RawData), address);
        }
        catch (RpcException error) when (error.StatusCode is not (StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled))
        {
            key.Dispose();
            throw new JoinRefusedException($"The Coordinator at {address} did not take this machine in with {token}: {error.Status.Detail}", error);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private void CheckClock(DateTimeOffset coordinator)
    {
        var apart = time.GetUtcNow() - coordinator;
        if (apart.Duration() > CertificateIssuer.ClockTolerance)
        {
            throw new JoinRefusedException(string.Create(
                CultureInfo.InvariantCulture,
                $"This machine's clock says {time.GetUtcNow():u}, the Coordinator's {coordinator:u}: {apart.Duration():d\\.hh\\:mm\\:ss} apart. Set the clocks (they may differ by {CertificateIssuer.ClockTolerance.TotalMinutes:0} minutes) and join again."));
        }
    }

    private static X509Certificate2 Load(ByteString der)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(der.Span);
        }
        catch (CryptographicException error)
        {
            throw new JoinRefusedException($"The Coordinator sent a certificate that can't be read: {error.Message}", error);
        }
    }

    private static GrpcChannel Open(Uri address, SocketsHttpHandler handler)
    {
        handler.ConnectTimeout = ConnectLimit;
        return GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    private CallOptions Options(CancellationToken cancellationToken) =>
        new(deadline: (time.GetUtcNow() + CallLimit).UtcDateTime, cancellationToken: cancellationToken);
}

/// <summary>What must hold of a certificate that the Coordinator sent.</summary>
internal static class CertificateCheck
{
    /// <exception cref="JoinRefusedException">It is not for this node and this key.</exception>
    public static void Require(X509Certificate2 certificate, ECDsa key, X509Certificate2 authority, string nodeId, DateTimeOffset now)
    {
        var verdict = PeerVerifier.Verify(certificate, authority, PeerIdentity.ClusterOf(authority), [], now);
        if (verdict.Peer is not { Role: PeerRoles.Node } peer || peer.NodeId != nodeId)
        {
            throw new JoinRefusedException(
                $"The Coordinator sent a certificate that is not one of node {nodeId}: {(verdict.Peer is null ? verdict.Problem : $"it is that of {verdict.Peer}")}.");
        }

        if (!certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
        {
            throw new JoinRefusedException("The Coordinator sent a certificate for another key than this node's.");
        }
    }
}
