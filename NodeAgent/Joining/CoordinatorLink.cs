using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.ServiceDefaults.Security;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>The way to the Coordinator.</summary>
internal interface ICoordinatorLink
{
    /// <summary>Calls go here; gets a certificate first where there is none.</summary>
    /// <exception cref="JoinRefusedException">There is no certificate, and none to be had.</exception>
    /// <exception cref="RpcException">The Coordinator can't be reached to get one.</exception>
    ValueTask<CallInvoker> OpenAsync(CancellationToken cancellationToken);

    /// <summary>The Coordinator does not take the certificate any more: the next <see cref="OpenAsync"/> looks for a new token.</summary>
    void NoteRefused(string reason);
}

/// <summary>Mutual TLS to the Coordinator, with the certificate that this node has or gets.</summary>
internal sealed partial class CoordinatorLink(
    ClusterCredentials credentials,
    CredentialFolder folder,
    JoinTokenSource tokens,
    EnrollmentClient enrollment,
    MachineFactsCache machine,
    NodeIdentity identity,
    IOptions<NodeOptions> options,
    TimeProvider time,
    ILogger<CoordinatorLink> logger) : ICoordinatorLink, IDisposable
{
    // The lease and the renewal of the certificate call at the same time; a token must be spent once only.
    private readonly SemaphoreSlim _one = new(1);
    private GrpcChannel? _channel;
    private string? _refusal;

    public async ValueTask<CallInvoker> OpenAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await OpenAloneAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    public void NoteRefused(string reason) => Volatile.Write(ref _refusal, reason);

    public void Dispose()
    {
        _channel?.Dispose();
        _one.Dispose();
    }

    private async Task<CallInvoker> OpenAloneAsync(CancellationToken cancellationToken)
    {
        var record = folder.ReadRecord();
        var reading = tokens.Read();
        switch (JoinDecision.Next(Kept(record), _refusal is not null, reading.Token, time.GetUtcNow()))
        {
            case JoinStep.Enroll:
                record = await EnrollAsync(reading.Token!, record, cancellationToken).ConfigureAwait(false);
                break;
            case JoinStep.Wait:
                throw new JoinRefusedException(_refusal is { } refusal
                    ? $"The Coordinator does not take this node's certificate any more ({refusal}). Make a new token and put it into Node:JoinTokenFile."
                    : reading.Problem ?? "This node's certificate has ended. Make a new token and put it into Node:JoinTokenFile.");
        }

        _channel ??= Connect(Addresses(record, reading.Token)[0]);
        return _channel.CreateCallInvoker();
    }

    private KeptCertificate? Kept(NodeRecord record) => credentials.Current is { } own
        ? new(AuthorityFingerprint.Of(own.Authority), own.Certificate.NotAfter, record.TokenId)
        : null;

    private async Task<NodeRecord> EnrollAsync(JoinToken token, NodeRecord record, CancellationToken cancellationToken)
    {
        var facts = await machine.GetAsync(cancellationToken).ConfigureAwait(false);
        using var enrolled = await enrollment
            .EnrollAsync(Addresses(record with { CoordinatorUrl = null }, token), token, identity.Id, facts.MachineId, cancellationToken).ConfigureAwait(false);
        // Another cluster's list means nothing here, and a version of it would keep this one's from being sent.
        var next = new NodeRecord(enrolled.Coordinator.GetLeftPart(UriPartial.Authority), token.Id, 0, []);
        folder.WriteRecord(next);
        folder.Write(enrolled.Key, enrolled.Certificate, enrolled.Authority);
        credentials.ReplaceRevoked([]);
        credentials.Replace(folder.Read());
        _refusal = null;
        _channel?.Dispose();
        _channel = null;
        DateTimeOffset endsAt = enrolled.Certificate.NotAfter;
        LogEnrolled(identity.Id, token.Id, token.Authority, endsAt);
        return next;
    }

    private List<Uri> Addresses(NodeRecord record, JoinToken? token)
    {
        string?[] candidates =
            [options.Value.CoordinatorUrl?.GetLeftPart(UriPartial.Authority), record.CoordinatorUrl, .. (token?.Addresses ?? []).Select(address => $"https://{address}")];
        var addresses = candidates.OfType<string>().Distinct(StringComparer.Ordinal).Select(address => new Uri(address)).ToList();
        return addresses.Count > 0
            ? addresses
            : throw new JoinRefusedException("No address of the Coordinator is known: set Node:CoordinatorUrl, for example https://10.0.0.5:7421.");
    }

    private GrpcChannel Connect(Uri address) => GrpcChannel.ForAddress(address, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) }.WithPeer(credentials, ExpectedPeer.Coordinator),
        DisposeHttpClient = true,
    });

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {NodeId} got its certificate with token {TokenId} from {Authority}; it lasts until {EndsAt:O}")]
    private partial void LogEnrolled(string nodeId, string tokenId, AuthorityFingerprint authority, DateTimeOffset endsAt);
}
