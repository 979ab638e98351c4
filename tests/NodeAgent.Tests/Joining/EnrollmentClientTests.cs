using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Joining;

/// <summary>What an agent believes of a Coordinator that it has never seen.</summary>
public sealed class EnrollmentClientTests : IAsyncLifetime
{
    private readonly TestAuthority _authority = new();
    private readonly List<Proto.EnrollRequest> _sent = [];
    private WebApplication _app = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var own = _authority.Credentials(nodeId: null);
        builder.WebHost.ConfigureKestrel(kestrel => TestAuthority.Listen(kestrel, own, PeerDemand.CertificateOrNone));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(this);
        _app = builder.Build();
        _app.MapGrpcService<Service>();
        await _app.StartAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact(Timeout = 30_000)]
    public async Task Enroll_AuthorityOfAnotherFingerprint_SendsNothing()
    {
        var token = Token() with { Authority = AuthorityFingerprint.Of(new TestAuthority().Certificate) };

        var refused = await Assert.ThrowsAsync<JoinRefusedException>(() => EnrollAsync(token, TimeProvider.System, TestContext.Current.CancellationToken));

        Assert.Contains("Nothing was sent", refused.Message);
        Assert.Empty(_sent);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(3)]
    [InlineData(-3)]
    public async Task Enroll_ClockHoursOff_SaysHowFarAndSendsNothing(int hours)
    {
        // Only the client's judgement goes by this clock; a deadline in the past would end the call first.
        var time = new SkewedTime(TimeSpan.FromHours(hours));

        var refused = await Assert.ThrowsAsync<JoinRefusedException>(() => EnrollAsync(Token(), time, TestContext.Current.CancellationToken));

        Assert.Contains("apart. Set the clocks", refused.Message);
        Assert.Empty(_sent);
    }

    [Fact(Timeout = 30_000)]
    public async Task Enroll_CertificateOfAnotherNode_IsNotKept()
    {
        var refused = await Assert.ThrowsAsync<JoinRefusedException>(() => EnrollAsync(Token(), TimeProvider.System, TestContext.Current.CancellationToken));

        Assert.Contains("not one of node node-1: it is that of node node-9", refused.Message);
        Assert.Equal("abcdefgh", Assert.Single(_sent).TokenId);
        Assert.DoesNotContain(Token().Secret, refused.ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task Enroll_NobodyAtTheAddress_IsUnreachableAndNamesIt()
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => new EnrollmentClient(TimeProvider.System)
            .EnrollAsync([new Uri("https://127.0.0.1:1")], Token(), "node-1", "mac", TestContext.Current.CancellationToken));

        Assert.Contains("https://127.0.0.1:1", error.Status.Detail, StringComparison.Ordinal);
    }

    private Task<Enrolled> EnrollAsync(JoinToken token, TimeProvider time, CancellationToken cancellationToken) =>
        new EnrollmentClient(time).EnrollAsync([new Uri(_app.Urls.Single())], token, "node-1", "mac", cancellationToken);

    private JoinToken Token() => new("abcdefgh", new string('s', 32), AuthorityFingerprint.Of(_authority.Certificate), []);

    /// <summary>A clock that is off by a constant, but for deadlines: those it gives are far away.</summary>
    private sealed class SkewedTime(TimeSpan off) : TimeProvider
    {
        private int _asked;

        // The first reading makes the first call's deadline.
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + (Interlocked.Increment(ref _asked) == 1 ? TimeSpan.FromHours(1) : off);
    }

    private sealed class Service(EnrollmentClientTests test) : Proto.EnrollmentService.EnrollmentServiceBase
    {
        public override Task<Proto.GetAuthorityResponse> GetAuthority(Proto.GetAuthorityRequest request, ServerCallContext context) => Task.FromResult(
            new Proto.GetAuthorityResponse
            {
                Authority = ByteString.CopyFrom(test._authority.Certificate.RawData),
                NowUnixMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
            });

        public override Task<Proto.EnrollResponse> Enroll(Proto.EnrollRequest request, ServerCallContext context)
        {
            test._sent.Add(request);
            var other = test._authority.Credentials("node-9").Current!.Certificate;
            return Task.FromResult(new Proto.EnrollResponse { Certificate = ByteString.CopyFrom(other.RawData), ClusterId = test._authority.ClusterId });
        }
    }
}
