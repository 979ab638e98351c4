using System.Threading.Channels;
using ClusterLlm.NodeAgent.Joining;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Joining;

/// <summary>A Coordinator's membership service in process that answers as a test says and keeps what it was asked.</summary>
internal sealed class FakeCoordinator : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeCoordinator(WebApplication app) => _app = app;

    /// <summary>Every request, in order.</summary>
    public Channel<object> Requests { get; } = Channel.CreateUnbounded<object>();

    /// <summary>The status to fail the next calls with, one per call.</summary>
    public Queue<StatusCode> Failures { get; } = new();

    public GrpcChannel Connect() => GrpcChannel.ForAddress(
        "http://coordinator",
        new GrpcChannelOptions { HttpHandler = _app.GetTestServer().CreateHandler(), DisposeHttpClient = true });

    public static async Task<FakeCoordinator> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        FakeCoordinator? coordinator = null;
        builder.Services.AddSingleton(_ => coordinator!);
        var app = builder.Build();
        app.MapGrpcService<Service>();
        coordinator = new FakeCoordinator(app);
        await app.StartAsync(cancellationToken);
        return coordinator;
    }

    public async Task<T> NextAsync<T>(CancellationToken cancellationToken) =>
        Assert.IsType<T>(await Requests.Reader.ReadAsync(cancellationToken));

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private void Take(object request)
    {
        Requests.Writer.TryWrite(request);
        if (Failures.TryDequeue(out var status))
        {
            throw new RpcException(new Status(status, $"told to answer {status}"));
        }
    }

    private sealed class Service(FakeCoordinator coordinator) : Proto.MembershipService.MembershipServiceBase
    {
        public override Task<Proto.JoinResponse> Join(Proto.JoinRequest request, ServerCallContext context)
        {
            coordinator.Take(request);
            return Task.FromResult(new Proto.JoinResponse { ClusterId = "c", LeaseId = "l", LeaseDurationMs = 9_000, RenewIntervalMs = 3_000 });
        }

        public override Task<Proto.RenewLeaseResponse> RenewLease(Proto.RenewLeaseRequest request, ServerCallContext context)
        {
            coordinator.Take(request);
            return Task.FromResult(new Proto.RenewLeaseResponse { LeaseDurationMs = 6_000, RenewIntervalMs = 2_000 });
        }

        public override Task<Proto.LeaveResponse> Leave(Proto.LeaveRequest request, ServerCallContext context)
        {
            coordinator.Take(request);
            return Task.FromResult(new Proto.LeaveResponse());
        }
    }
}

/// <summary>A way to the Coordinator that is open from the start.</summary>
internal sealed class FakeLink(ChannelBase channel) : ICoordinatorLink
{
    /// <summary>What the node was told, in order.</summary>
    public List<string> Refusals { get; } = [];

    public ValueTask<CallInvoker> OpenAsync(CancellationToken cancellationToken) => new(channel.CreateCallInvoker());

    public void NoteRefused(string reason) => Refusals.Add(reason);
}
