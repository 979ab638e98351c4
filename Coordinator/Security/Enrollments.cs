using System.Security.Cryptography.X509Certificates;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Why a request for a certificate was turned down.</summary>
internal enum EnrollmentRefusal
{
    BadRequest,
    WrongToken,
    TooManyAttempts,
    Conflict,
}

/// <summary>A certificate, or why there is none.</summary>
/// <param name="Problem">A sentence that follows a colon; holds no secret.</param>
internal sealed record EnrollmentResult(X509Certificate2? Certificate, EnrollmentRefusal Refusal, string Problem)
{
    public static EnrollmentResult Refused(EnrollmentRefusal refusal, string problem) => new(null, refusal, problem);
}

/// <summary>What a machine sends to become a node.</summary>
/// <param name="Address">Where it calls from.</param>
internal sealed record EnrollmentAttempt(string TokenId, string TokenSecret, Enrollee Enrollee, byte[] Request, string Address)
{
    public string NodeId => Enrollee.NodeId;
}

/// <summary>Turns tokens into certificates, one at a time, and takes certificates back.</summary>
internal sealed partial class Enrollments(
    JoinTokenStore tokens,
    CertificateStore certificates,
    SecurityState state,
    AttemptLimiter limiter,
    OtherMachines machines,
    NodeRegistry nodes,
    IOptions<SecurityOptions> options,
    TimeProvider time,
    ILogger<Enrollments> logger) : IDisposable
{
    // Two machines that want the same id at the same moment must not both be told that it is free.
    private readonly SemaphoreSlim _one = new(1);

    public async Task<EnrollmentResult> EnrollAsync(EnrollmentAttempt attempt, CancellationToken cancellationToken)
    {
        if (limiter.Wait(attempt.Address) is { Ticks: > 0 } wait)
        {
            return EnrollmentResult.Refused(
                EnrollmentRefusal.TooManyAttempts, $"too many wrong tokens came from {attempt.Address}; try again in {Math.Ceiling(wait.TotalSeconds)} s.");
        }

        if (await tokens.FindAsync(attempt.TokenId, attempt.TokenSecret, cancellationToken) is not { } token)
        {
            var (id, count) = (Printable(attempt.TokenId), limiter.NoteFailure(attempt.Address));
            LogWrongToken(attempt.Address, id, count);
            return EnrollmentResult.Refused(EnrollmentRefusal.WrongToken, "there is no such token here, or its secret is wrong. Make a new one.");
        }

        limiter.NoteSuccess(attempt.Address);
        await _one.WaitAsync(cancellationToken);
        try
        {
            return await EnrollAsync(attempt, token, cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>A newer certificate for a node that showed its own.</summary>
    public async Task<EnrollmentResult> RenewAsync(PeerIdentity node, byte[] request, CancellationToken cancellationToken)
    {
        var (key, problem) = CertificateIssuer.ReadRequest(request);
        if (key is null || await certificates.IsUsedAsync(key, cancellationToken))
        {
            return EnrollmentResult.Refused(EnrollmentRefusal.BadRequest, problem ?? "this certificate request was used before: make a new key.");
        }

        var held = await certificates.HeldByAsync(node.NodeId, cancellationToken);
        if (held.FirstOrDefault(certificate => certificate.Serial == node.Serial) is not { } own)
        {
            return EnrollmentResult.Refused(EnrollmentRefusal.WrongToken, $"the certificate {node.Serial} is not one that was issued here and is still good.");
        }

        return await IssueAsync(key, new Enrollee(node.NodeId, own.MachineId, own.IsLocal), "renewal", cancellationToken);
    }

    /// <summary>Revokes all certificates of a node; the list reaches the other nodes with their next renewal of the lease.</summary>
    /// <returns>How many were still good.</returns>
    public async Task<int> RevokeAsync(string nodeId, CancellationToken cancellationToken)
    {
        var revoked = await certificates.RevokeAsync(nodeId, cancellationToken);
        if (revoked > 0)
        {
            state.Revoked = await certificates.RevokedAsync(cancellationToken);
            await machines.UpdateAsync(cancellationToken);
            LogRevoked(nodeId, revoked);
        }

        return revoked;
    }

    public void Dispose() => _one.Dispose();

    private async Task<EnrollmentResult> EnrollAsync(EnrollmentAttempt attempt, TokenEntry token, CancellationToken cancellationToken)
    {
        if (token.Problem(attempt.NodeId, time.GetUtcNow()) is { } ended)
        {
            return Refuse(attempt, token, EnrollmentRefusal.WrongToken, ended);
        }

        if (!JoinRequestCheck.IsNodeId(attempt.NodeId))
        {
            return Refuse(attempt, token, EnrollmentRefusal.BadRequest, "the node id must be 1 to 63 letters, digits, '.', '_' or '-', and begin with a letter or digit.");
        }

        var (key, unread) = CertificateIssuer.ReadRequest(attempt.Request);
        if (key is null)
        {
            return Refuse(attempt, token, EnrollmentRefusal.BadRequest, unread!);
        }

        if (await certificates.IsUsedAsync(key, cancellationToken))
        {
            return Refuse(attempt, token, EnrollmentRefusal.Conflict, "this certificate request was used before: make a new key.");
        }

        var held = await certificates.HeldByAsync(attempt.NodeId, cancellationToken);
        var alive = nodes.Current.TryGetValue(attempt.NodeId, out var node) && node.State != NodeState.Lost;
        if (EnrollmentPolicy.Problem(attempt.NodeId, attempt.Enrollee.MachineId, held, alive) is { } taken)
        {
            return Refuse(attempt, token, EnrollmentRefusal.Conflict, taken);
        }

        if (!await tokens.SpendAsync(token.Id, cancellationToken))
        {
            return Refuse(attempt, token, EnrollmentRefusal.WrongToken, "the token has just been used up. Make a new one.");
        }

        if (!held.IsEmpty)
        {
            await RevokeAsync(attempt.NodeId, cancellationToken);
        }

        LogEnrolled(attempt.NodeId, attempt.Address, token.Id);
        return await IssueAsync(key, attempt.Enrollee, token.Id, cancellationToken);
    }

    private async Task<EnrollmentResult> IssueAsync(PublicKey key, Enrollee enrollee, string tokenId, CancellationToken cancellationToken)
    {
        var certificate = state.Authority.Issue(key, PeerRoles.Node, enrollee.NodeId, time.GetUtcNow(), options.Value.CertificateLifetime);
        await certificates.AddAsync(certificate, enrollee, tokenId, cancellationToken);
        await machines.UpdateAsync(cancellationToken);
        return new(certificate, default, "");
    }

    private EnrollmentResult Refuse(EnrollmentAttempt attempt, TokenEntry token, EnrollmentRefusal refusal, string problem)
    {
        var nodeId = Printable(attempt.NodeId);
        LogRefused(nodeId, attempt.Address, token.Id, problem);
        return EnrollmentResult.Refused(refusal, problem);
    }

    /// <summary>What a stranger sent, cut and cleaned for the log.</summary>
    private static string Printable(string text) => new([.. text.Take(63).Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.' or '_' ? character : '?')]);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A wrong join token (id {TokenId}) came from {Address}; {Count} in a row")]
    private partial void LogWrongToken(string address, string tokenId, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {NodeId} at {Address} was not taken in with token {TokenId}: {Problem}")]
    private partial void LogRefused(string nodeId, string address, string tokenId, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {NodeId} at {Address} gets a certificate with token {TokenId}")]
    private partial void LogEnrolled(string nodeId, string address, string tokenId);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} certificates of node {NodeId} were revoked")]
    private partial void LogRevoked(string nodeId, int count);
}
