using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>What an agent does to belong to a cluster.</summary>
internal enum JoinStep
{
    /// <summary>The certificate that it has will do.</summary>
    UseCertificate,

    /// <summary>The token is to be spent on a new certificate.</summary>
    Enroll,

    /// <summary>Neither is there.</summary>
    Wait,
}

/// <summary>What is known about the certificate that an agent keeps.</summary>
/// <param name="Authority">Of the cluster that gave it.</param>
/// <param name="TokenId">Of the token that it was got with.</param>
internal sealed record KeptCertificate(AuthorityFingerprint Authority, DateTimeOffset EndsAt, string TokenId);

/// <summary>Chooses between the kept certificate and the token.</summary>
internal static class JoinDecision
{
    /// <param name="kept"><see langword="null"/>: there is none.</param>
    /// <param name="refused">The Coordinator does not take the certificate any more.</param>
    /// <param name="token"><see langword="null"/>: there is none that can be read.</param>
    public static JoinStep Next(KeptCertificate? kept, bool refused, JoinToken? token, DateTimeOffset now)
    {
        if (kept is null)
        {
            return token is null ? JoinStep.Wait : JoinStep.Enroll;
        }

        // A spent token would only be refused again, and counted as an attempt.
        var isNew = token is not null && token.Id != kept.TokenId;
        var useless = refused || now > kept.EndsAt || (isNew && token!.Authority != kept.Authority);
        return !useless ? JoinStep.UseCertificate : isNew ? JoinStep.Enroll : JoinStep.Wait;
    }
}
