using System.Net;
using ClusterLlm.Protos.V1;
using ClusterLlm.ServiceDefaults.Security;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace ClusterLlm.Integration.Security;

/// <summary>Who is not taken in, or not any more, as separate hosts on a routed network.</summary>
[Trait("category", "slow")]
[Collection(NetworkHosts.Tests)]
public sealed class NetworkRefusalTests
{
    [Fact(Timeout = 420_000)]
    public async Task Join_WrongTokens_SayWhyAndLeaveNothing()
    {
        var token = TestContext.Current.CancellationToken;
        await using var cluster = await NetworkCluster.StartAsync(token);
        Assert.True(JoinTokenText.TryRead(await cluster.CreateTokenAsync(token), out var good, out _));

        // Another cluster's fingerprint: a Coordinator that pretends, or a token that belongs elsewhere.
        var wrong = JoinTokenText.Write(good with { Authority = AuthorityFingerprint.From(new byte[32]) });
        var elsewhere = cluster.StartAgent("node-a", wrong);
        Assert.Contains("Nothing was sent", await elsewhere.WaitForLineAsync("has the authority", token), StringComparison.Ordinal);
        Assert.DoesNotContain("node-a", cluster.Coordinator.Output, StringComparison.Ordinal);
        Assert.False(cluster.HasCredentials("node-a"));

        var cut = cluster.StartAgent("node-b", JoinTokenText.Write(good)[..70]);
        Assert.Equal(2, await cut.WaitForExitAsync(token));
        Assert.Contains("is cut off", cut.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(good.Secret, cut.Output, StringComparison.Ordinal);

        var expired = cluster.StartAgent("node-b", await cluster.CreateTokenAsync(token, "--ttl", "1s"));
        await expired.WaitForLineAsync("the token expired at", token);

        // A machine with a key of its own takes the only use; who recorded its request can't send it again, with any token.
        using var anybody = Anybody(cluster);
        var enrollment = new EnrollmentService.EnrollmentServiceClient(anybody);
        Assert.True(JoinTokenText.TryRead(await cluster.CreateTokenAsync(token, "--uses", "2"), out var twice, out _));
        using var key = CertificateIssuer.NewKey();
        var request = new EnrollRequest { TokenId = good.Id, TokenSecret = good.Secret, NodeId = "node-x", MachineId = "mac-x", CertificateRequest = ByteString.CopyFrom(CertificateIssuer.CreateRequest(key)) };
        Assert.NotEmpty((await enrollment.EnrollAsync(request, cancellationToken: token)).Certificate);
        var spent = await Assert.ThrowsAsync<RpcException>(async () => await enrollment.EnrollAsync(request, cancellationToken: token));
        Assert.Equal((StatusCode.Unauthenticated, "the token has been used up (1 of 1)"), (spent.StatusCode, spent.Status.Detail.Split('.')[0]));
        var replay = new EnrollRequest(request) { TokenId = twice.Id, TokenSecret = twice.Secret, NodeId = "node-y" };
        var replayed = await Assert.ThrowsAsync<RpcException>(async () => await enrollment.EnrollAsync(replay, cancellationToken: token));
        Assert.Equal(StatusCode.AlreadyExists, replayed.StatusCode);
        Assert.Contains("this certificate request was used before", replayed.Status.Detail, StringComparison.Ordinal);

        var used = cluster.StartAgent("node-c", JoinTokenText.Write(good));
        await cluster.RevokeTokenAsync(twice.Id, token);
        var revoked = cluster.StartAgent("node-d", JoinTokenText.Write(twice));
        Assert.Contains("Make a new one", await used.WaitForLineAsync("has been used up (1 of 1)", token), StringComparison.Ordinal);
        await revoked.WaitForLineAsync("was revoked", token);
        Assert.All(new[] { "node-a", "node-b", "node-c", "node-d", "node-y" }, node => Assert.False(cluster.HasCredentials(node)));
        Assert.Empty(await cluster.NodesAsync(token));
        await cluster.StopAsync();
        Assert.Empty(cluster.Leaks());
    }

    [Fact(Timeout = 420_000)]
    public async Task Remove_Node_IsRefusedByTheCoordinatorAndByTheOtherNode()
    {
        var token = TestContext.Current.CancellationToken;
        await using var cluster = await NetworkCluster.StartAsync(token);
        var text = await cluster.CreateTokenAsync(token, "--uses", "2");
        var first = cluster.StartAgent("node-a", text);
        cluster.StartAgent("node-b", text);
        await cluster.WaitForNodeAsync("node-a", token);
        await cluster.WaitForNodeAsync("node-b", token);

        // What a thief would have: the files of node-a.
        var credentials = new ClusterCredentials(TimeProvider.System);
        credentials.Replace(new CredentialFolder(Path.Combine(cluster.HomeOf("node-a"), "node", "node-a")).Read());
        using var channel = Channel(cluster.Hosts.Agents, new Uri($"https://{cluster.Hosts.AgentsAddress}:7431"), credentials, ExpectedPeer.Node("node-b"));
        var other = new NodeService.NodeServiceClient(channel);
        Assert.NotNull(await other.EchoAsync(new EchoRequest(), cancellationToken: token));
        using var pretending = Channel(cluster.Hosts.Agents, new Uri($"https://{cluster.Hosts.AgentsAddress}:7431"), credentials, ExpectedPeer.Node("node-a"));
        var misled = await Assert.ThrowsAsync<RpcException>(async () => await new NodeService.NodeServiceClient(pretending).EchoAsync(new EchoRequest(), cancellationToken: token));
        Assert.Contains("What answers there is node node-b, not node node-a", misled.Status.Detail, StringComparison.Ordinal);

        await AssertIdentityCannotBeSwappedAsync(cluster, credentials, token);

        using var removed = await cluster.Http.DeleteAsync(new Uri("/api/nodes/node-a", UriKind.Relative), token);
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        await first.WaitForLineAsync("The Coordinator does not take this node's certificate any more", token);

        // Node-b learns of it with its next renewal of the lease, and then ends the open connection, too.
        var refused = await RefusalAsync(other, token);
        Assert.NotEqual(StatusCode.OK, refused.StatusCode);
    }

    /// <summary>With the certificate of node-a nobody can speak for another node, neither to the Coordinator nor as an agent.</summary>
    private static async Task AssertIdentityCannotBeSwappedAsync(NetworkCluster cluster, ClusterCredentials ofNodeA, CancellationToken cancellationToken)
    {
        using var channel = Channel(cluster.Hosts.Agents, cluster.GrpcUrl, ofNodeA, ExpectedPeer.Coordinator);
        var request = new JoinRequest
        {
            InstanceId = "another",
            Node = new NodeDescription { NodeId = "node-b", Addresses = { new NodeAddress { Url = $"https://{cluster.Hosts.AgentsAddress}:7431", Kind = LinkKind.Ethernet } } },
        };
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await new MembershipService.MembershipServiceClient(channel).JoinAsync(request, cancellationToken: cancellationToken));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
        Assert.Contains("speaks for node node-b, but its certificate is that of node node-a", refused.Status.Detail, StringComparison.Ordinal);

        var home = cluster.NewHome();
        var folder = Path.Combine(home, "node", "node-e");
        PrivateFiles.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(Path.Combine(cluster.HomeOf("node-a"), "node", "node-a")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var thief = cluster.StartAgentIn(home, "node-e");
        Assert.Equal(2, await thief.WaitForExitAsync(cancellationToken));
        Assert.Contains("holds the certificate of node node-a, but this is node node-e", thief.Output, StringComparison.Ordinal);
    }

    private static async Task<RpcException> RefusalAsync(NodeService.NodeServiceClient node, CancellationToken cancellationToken)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            try
            {
                await node.EchoAsync(new EchoRequest(), cancellationToken: cancellationToken);
            }
            catch (RpcException refused) when (!cancellationToken.IsCancellationRequested)
            {
                return refused;
            }

            await pause.WaitForNextTickAsync(cancellationToken);
        }
    }

    private static GrpcChannel Anybody(NetworkCluster cluster)
    {
        var handler = NetworkHosts.Handler(cluster.Hosts.Agents);
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        return GrpcChannel.ForAddress(cluster.GrpcUrl, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    private static GrpcChannel Channel(string host, Uri url, ClusterCredentials own, ExpectedPeer expected) => GrpcChannel.ForAddress(
        url, new GrpcChannelOptions { HttpHandler = NetworkHosts.Handler(host).WithPeer(own, expected), DisposeHttpClient = true });
}
