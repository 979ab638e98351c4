using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>Who a certificate belongs to, or why it is refused.</summary>
/// <param name="Peer"><see langword="null"/> when it is refused.</param>
/// <param name="Problem">A sentence for logs and for the other side.</param>
internal sealed record PeerVerdict(PeerIdentity? Peer, string Problem);

/// <summary>Decides whether a certificate is one of this cluster's.</summary>
internal static class PeerVerifier
{
    /// <param name="authority">The only one that is trusted; the machine's own store is not looked at.</param>
    /// <param name="revoked">Serial numbers.</param>
    public static PeerVerdict Verify(
        X509Certificate2? certificate, X509Certificate2 authority, string clusterId, ImmutableHashSet<string> revoked, DateTimeOffset now)
    {
        if (certificate is null)
        {
            return Refuse("no certificate was shown");
        }

        if (!IsIssuedBy(certificate, authority))
        {
            return Refuse($"the certificate was not issued by this cluster's authority ({AuthorityFingerprint.Of(authority)})");
        }

        if (TimeProblem(certificate, now) is { } time)
        {
            return Refuse(time);
        }

        if (PeerIdentity.Read(certificate) is not { } peer || peer.ClusterId != clusterId)
        {
            return Refuse($"the certificate '{certificate.Subject}' names no node of cluster {clusterId}");
        }

        return revoked.Contains(peer.Serial) ? Refuse($"the certificate of {peer} was revoked") : new(peer, "");
    }

    private static PeerVerdict Refuse(string problem) => new(null, problem);

    private static bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        // Times are judged below, with the tolerance that clocks need and with words that name them.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(certificate) && chain.ChainElements.Count == 2;
    }

    private static string? TimeProblem(X509Certificate2 certificate, DateTimeOffset now)
    {
        DateTimeOffset from = certificate.NotBefore;
        DateTimeOffset until = certificate.NotAfter;
        if (now < from - CertificateIssuer.ClockTolerance)
        {
            return Text($"the certificate is valid from {from.ToUniversalTime():u} on, but the clock here says {now.ToUniversalTime():u}: set the clocks of both machines");
        }

        return now > until
            ? Text($"the certificate ended at {until.ToUniversalTime():u}, and the clock here says {now.ToUniversalTime():u}: join again with a new token, or set the clock")
            : null;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
