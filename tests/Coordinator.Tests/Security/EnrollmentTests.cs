using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using ClusterLlm.Coordinator.Security;
using ClusterLlm.Coordinator.Tests.Fakes;
using ClusterLlm.Protos.V1;
using ClusterLlm.ServiceDefaults.Security;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace ClusterLlm.Coordinator.Tests.Security;

/// <summary>Tokens into certificates, over the whole Coordinator in process.</summary>
public sealed class EnrollmentTests : IAsyncDisposable
{
    private readonly CoordinatorHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact(Timeout = 120_000)]
    public async Task Enroll_GoodToken_GivesACertificateThatTheAuthorityOfTheTokenVouchesFor()
    {
        var token = await CreateAsync(new { }, TestContext.Current.CancellationToken);
        using var channel = _host.Channel(certificate: null);
        var client = new EnrollmentService.EnrollmentServiceClient(channel);
        using var key = CertificateIssuer.NewKey();

        using var authority = X509CertificateLoader.LoadCertificate(
            (await client.GetAuthorityAsync(new GetAuthorityRequest(), cancellationToken: TestContext.Current.CancellationToken)).Authority.Span);
        var response = await client.EnrollAsync(Request(token, "node-1", key), cancellationToken: TestContext.Current.CancellationToken);
        using var certificate = X509CertificateLoader.LoadCertificate(response.Certificate.Span);

        Assert.Equal(token.Authority, AuthorityFingerprint.Of(authority));
        var peer = PeerVerifier.Verify(certificate, authority, response.ClusterId, [], TimeProvider.System.GetUtcNow()).Peer;
        Assert.Equal((PeerRoles.Node, "node-1"), (peer?.Role, peer?.NodeId));
    }

    [Fact(Timeout = 120_000)]
    public async Task Enroll_TokensThatDoNotServe_SayWhy()
    {
        var used = await CreateAsync(new { uses = 1 }, TestContext.Current.CancellationToken);
        await EnrollAsync(used, "node-1", TestContext.Current.CancellationToken);
        var revoked = await CreateAsync(new { }, TestContext.Current.CancellationToken);
        using (var http = _host.CreateClient())
        {
            Assert.Equal(HttpStatusCode.NoContent, (await http.DeleteAsync($"/api/tokens/{revoked.Id}", TestContext.Current.CancellationToken)).StatusCode);
        }

        var bound = await CreateAsync(new { nodeId = "node-7" }, TestContext.Current.CancellationToken);

        await AssertRefusedAsync(used, "node-2", StatusCode.Unauthenticated, "has been used up (1 of 1)", TestContext.Current.CancellationToken);
        await AssertRefusedAsync(revoked, "node-2", StatusCode.Unauthenticated, "was revoked", TestContext.Current.CancellationToken);
        await AssertRefusedAsync(bound, "node-2", StatusCode.Unauthenticated, "is for node node-7 only", TestContext.Current.CancellationToken);
        await AssertRefusedAsync(used with { Id = "aaaaaaaa" }, "node-2", StatusCode.Unauthenticated, "no such token", TestContext.Current.CancellationToken);
        await EnrollAsync(bound, "node-7", TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 120_000)]
    public async Task Enroll_WrongSecrets_AreSlowedDownAndNeverRepeated()
    {
        var token = await CreateAsync(new { uses = 5 }, TestContext.Current.CancellationToken);
        var wrong = token with { Secret = new string('q', 32) };
        for (var attempt = 0; attempt <= AttemptLimiter.FreeAttempts; attempt++)
        {
            await AssertRefusedAsync(wrong, "node-1", StatusCode.Unauthenticated, "its secret is wrong", TestContext.Current.CancellationToken);
        }

        var refused = await AssertRefusedAsync(token, "node-1", StatusCode.ResourceExhausted, "too many wrong tokens", TestContext.Current.CancellationToken);
        Assert.DoesNotContain(token.Secret, refused, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Enroll_SameRequestAgain_IsRefused()
    {
        var token = await CreateAsync(new { uses = 3 }, TestContext.Current.CancellationToken);
        using var channel = _host.Channel(certificate: null);
        using var key = CertificateIssuer.NewKey();
        var request = Request(token, "node-1", key);
        await new EnrollmentService.EnrollmentServiceClient(channel).EnrollAsync(request, cancellationToken: TestContext.Current.CancellationToken);

        var replayed = await Assert.ThrowsAsync<RpcException>(async () =>
            await new EnrollmentService.EnrollmentServiceClient(channel).EnrollAsync(request, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(StatusCode.AlreadyExists, replayed.StatusCode);
        Assert.Contains("used before", replayed.Status.Detail, StringComparison.Ordinal);
        var left = Assert.Single((await _host.GetAsync("/api/tokens", TestContext.Current.CancellationToken)).EnumerateArray());
        Assert.Equal((1, 3), (left.GetProperty("uses").GetInt32(), left.GetProperty("maxUses").GetInt32()));
    }

    [Fact(Timeout = 120_000)]
    public async Task Enroll_NodeIdOfAnotherMachine_IsRefusedUntilThatNodeIsRemoved()
    {
        var token = await CreateAsync(new { uses = 5 }, TestContext.Current.CancellationToken);
        await EnrollAsync(token, "node-1", TestContext.Current.CancellationToken, machine: "mac-a");

        await AssertRefusedAsync(token, "node-1", StatusCode.AlreadyExists, "belongs to another machine", TestContext.Current.CancellationToken, machine: "mac-b");
        using var http = _host.CreateClient();
        using var removed = await http.DeleteAsync("/api/nodes/node-1", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        await EnrollAsync(token, "node-1", TestContext.Current.CancellationToken, machine: "mac-b");
    }

    [Fact(Timeout = 120_000)]
    public async Task Enroll_ReinstalledMachine_TakesItsIdBackAndTheOldCertificateEnds()
    {
        var token = await CreateAsync(new { uses = 5 }, TestContext.Current.CancellationToken);
        var old = await EnrollAsync(token, "node-1", TestContext.Current.CancellationToken, machine: "mac-a");

        await EnrollAsync(token, "node-1", TestContext.Current.CancellationToken, machine: "mac-a");

        Assert.Contains(old.Current!.Self.Serial, _host.Services.GetRequiredService<ClusterCredentials>().Revoked);
    }

    [Fact(Timeout = 120_000)]
    public async Task Membership_RemovedNode_IsRefusedAndTheListReachesTheOthers()
    {
        var token = await CreateAsync(new { uses = 5 }, TestContext.Current.CancellationToken);
        var removed = await EnrollAsync(token, "node-1", TestContext.Current.CancellationToken);
        var other = await EnrollAsync(token, "node-2", TestContext.Current.CancellationToken);
        using var channel = _host.Channel(other.Current!.Certificate);
        var membership = new MembershipService.MembershipServiceClient(channel);
        await using var node = await FakeNode.StartAsync("node-2", TestContext.Current.CancellationToken);
        var lease = await membership.JoinAsync(node.JoinRequest(), cancellationToken: TestContext.Current.CancellationToken);
        var unchanged = await membership.RenewLeaseAsync(Renewal(lease, 1), cancellationToken: TestContext.Current.CancellationToken);
        using var http = _host.CreateClient();
        await http.DeleteAsync("/api/nodes/node-1", TestContext.Current.CancellationToken);

        var renewed = await membership.RenewLeaseAsync(Renewal(lease, 2), cancellationToken: TestContext.Current.CancellationToken);
        using var refusedChannel = _host.Channel(removed.Current!.Certificate);
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await new MembershipService.MembershipServiceClient(refusedChannel).JoinAsync(new JoinRequest(), cancellationToken: TestContext.Current.CancellationToken));

        Assert.Null(unchanged.Revocations);
        Assert.Equal([removed.Current!.Self.Serial], renewed.Revocations.Serials);
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        Assert.Contains("the certificate of node node-1 was revoked", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Membership_AnotherNodesName_IsRefused()
    {
        var token = await CreateAsync(new { uses = 5 }, TestContext.Current.CancellationToken);
        var own = await EnrollAsync(token, "node-1", TestContext.Current.CancellationToken);
        using var channel = _host.Channel(own.Current!.Certificate);
        await using var other = await FakeNode.StartAsync("node-2", TestContext.Current.CancellationToken);

        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await new MembershipService.MembershipServiceClient(channel).JoinAsync(other.JoinRequest(), cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
        Assert.Contains("speaks for node node-2, but its certificate is that of node node-1", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Renew_WithTheOwnCertificate_GivesANewOneOfTheSameNode()
    {
        var own = await EnrollAsync(await CreateAsync(new { }, TestContext.Current.CancellationToken), "node-1", TestContext.Current.CancellationToken);
        using var channel = _host.Channel(own.Current!.Certificate);
        using var key = CertificateIssuer.NewKey();
        var request = new RenewRequest { CertificateRequest = ByteString.CopyFrom(CertificateIssuer.CreateRequest(key)) };
        var client = new EnrollmentService.EnrollmentServiceClient(channel);

        var response = await client.RenewAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        using var certificate = X509CertificateLoader.LoadCertificate(response.Certificate.Span);
        var again = await Assert.ThrowsAsync<RpcException>(async () => await client.RenewAsync(request, cancellationToken: TestContext.Current.CancellationToken));
        using var nobody = _host.Channel(certificate: null);
        var without = await Assert.ThrowsAsync<RpcException>(async () =>
            await new EnrollmentService.EnrollmentServiceClient(nobody).RenewAsync(request, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal("node-1", PeerIdentity.Read(certificate)?.NodeId);
        Assert.Equal(StatusCode.InvalidArgument, again.StatusCode);
        Assert.Equal(StatusCode.Unauthenticated, without.StatusCode);
    }

    private static RenewLeaseRequest Renewal(JoinResponse lease, ulong sequence) =>
        new() { NodeId = "node-2", LeaseId = lease.LeaseId, Sequence = sequence, RevocationVersion = lease.Revocations.Version };

    private async Task<JoinToken> CreateAsync(object body, CancellationToken cancellationToken)
    {
        using var response = await _host.PostAsync("/api/tokens", body, cancellationToken);
        var created = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        Assert.True(JoinTokenText.TryRead(created.GetProperty("token").GetString(), out var token, out var problem), problem);
        return token;
    }

    private async Task<ClusterCredentials> EnrollAsync(JoinToken token, string nodeId, CancellationToken cancellationToken, string machine = "mac")
    {
        using var channel = _host.Channel(certificate: null);
        using var key = CertificateIssuer.NewKey();
        var response = await new EnrollmentService.EnrollmentServiceClient(channel)
            .EnrollAsync(Request(token, nodeId, key, machine), cancellationToken: cancellationToken);
        using var certificate = X509CertificateLoader.LoadCertificate(response.Certificate.Span);
        var credentials = new ClusterCredentials(TimeProvider.System);
        var authority = _host.Services.GetRequiredService<SecurityState>().Authority.Certificate;
        credentials.Replace(new PeerCredentials(CertificateIssuer.WithKey(certificate, key), authority, PeerIdentity.Read(certificate)!));
        return credentials;
    }

    private async Task<string> AssertRefusedAsync(
        JoinToken token, string nodeId, StatusCode status, string part, CancellationToken cancellationToken, string machine = "mac")
    {
        var refused = await Assert.ThrowsAsync<RpcException>(() => EnrollAsync(token, nodeId, cancellationToken, machine));
        Assert.Equal(status, refused.StatusCode);
        Assert.Contains(part, refused.Status.Detail, StringComparison.Ordinal);
        return refused.Status.Detail;
    }

    private static EnrollRequest Request(JoinToken token, string nodeId, ECDsa key, string machine = "mac") => new()
    {
        TokenId = token.Id,
        TokenSecret = token.Secret,
        NodeId = nodeId,
        MachineId = machine,
        CertificateRequest = ByteString.CopyFrom(CertificateIssuer.CreateRequest(key)),
    };
}
