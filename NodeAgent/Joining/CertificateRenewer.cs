using System.Security.Cryptography.X509Certificates;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.ServiceDefaults.Security;
using Google.Protobuf;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>Gets a new certificate, with a new key, well before the one in use ends. Open connections keep the old one; it stays good until its end.</summary>
internal sealed partial class CertificateRenewer(
    ClusterCredentials credentials,
    CredentialFolder folder,
    ICoordinatorLink link,
    NodeIdentity identity,
    TimeProvider time,
    ILogger<CertificateRenewer> logger) : BackgroundService
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    /// <summary>When a certificate is to be renewed: when two thirds of its time have gone.</summary>
    public static DateTimeOffset RenewAt(DateTimeOffset from, DateTimeOffset until) => from + ((until - from) * 2 / 3);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = await RunOnceAsync(stoppingToken).ConfigureAwait(false);
            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Renews if it is time.</summary>
    /// <returns>How long to wait before looking again.</returns>
    internal async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        if (credentials.Current is not { } own)
        {
            return ShortestPause;
        }

        // The beginning was moved back for clocks that are behind; it is not part of the time that the certificate is used.
        DateTimeOffset from = own.Certificate.NotBefore;
        var wait = RenewAt(from + CertificateIssuer.ClockTolerance, own.Certificate.NotAfter) - time.GetUtcNow();
        if (wait > TimeSpan.Zero)
        {
            return wait < LongestPause ? wait : LongestPause;
        }

        try
        {
            await RenewAsync(own, cancellationToken).ConfigureAwait(false);
            return ShortestPause;
        }
        catch (Exception error) when (error is RpcException or JoinRefusedException or IOException && !cancellationToken.IsCancellationRequested)
        {
            DateTimeOffset endsAt = own.Certificate.NotAfter;
            var reason = error is RpcException rpc ? rpc.Status.Detail : error.Message;
            LogFailed(identity.Id, endsAt, reason);
            var left = endsAt - time.GetUtcNow();
            return TimeSpan.FromSeconds(Math.Clamp(left.TotalSeconds / 20, ShortestPause.TotalSeconds, LongestPause.TotalSeconds));
        }
    }

    private async Task RenewAsync(PeerCredentials own, CancellationToken cancellationToken)
    {
        using var key = CertificateIssuer.NewKey();
        var client = new Proto.EnrollmentService.EnrollmentServiceClient(await link.OpenAsync(cancellationToken).ConfigureAwait(false));
        var response = await client.RenewAsync(
            new Proto.RenewRequest { CertificateRequest = ByteString.CopyFrom(CertificateIssuer.CreateRequest(key)) },
            deadline: (time.GetUtcNow() + CallLimit).UtcDateTime,
            cancellationToken: cancellationToken).ConfigureAwait(false);
        using var certificate = X509CertificateLoader.LoadCertificate(response.Certificate.Span);
        CertificateCheck.Require(certificate, key, own.Authority, identity.Id, time.GetUtcNow());
        folder.Write(key, certificate, own.Authority);
        credentials.Replace(folder.Read());
        DateTimeOffset endsAt = certificate.NotAfter;
        LogRenewed(identity.Id, endsAt);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {NodeId} has renewed its certificate; it lasts until {EndsAt:O}")]
    private partial void LogRenewed(string nodeId, DateTimeOffset endsAt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {NodeId} could not renew its certificate, which ends at {EndsAt:O}: {Reason}")]
    private partial void LogFailed(string nodeId, DateTimeOffset endsAt, string reason);
}
