using System.Net;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.NodeAgent.Tests.Rpc;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Joining;

/// <summary>Every gRPC method that an agent maps, found by asking it and not by a list here.</summary>
public sealed class AgentGateTests : IDisposable
{
    private readonly AgentFactory _agent = new();

    public void Dispose() => _agent.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task Methods_WithoutACertificateOrAStrangers_NoneAnswers()
    {
        var stranger = new TestAuthority().Credentials("node-b");
        foreach (var caller in new[] { null, stranger })
        {
            using var channel = _agent.Channel(caller);
            foreach (var method in Methods())
            {
                Assert.Equal((method, StatusCode.Unauthenticated), (method, await CallAsync(channel.CreateCallInvoker(), method, TestContext.Current.CancellationToken)));
            }
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Methods_AsANode_OnlyThoseOfNeighboursAnswer()
    {
        using var channel = _agent.Channel(_agent.Authority.Credentials("node-b"));
        var refused = new List<string>();
        foreach (var method in Methods())
        {
            if (await CallAsync(channel.CreateCallInvoker(), method, TestContext.Current.CancellationToken) == StatusCode.PermissionDenied)
            {
                refused.Add(method[(method.LastIndexOf('.') + 1)..]);
            }
        }

        Assert.Equal(
            [
                "InferenceService/Generate", "ModelService/InspectModel", "ModelService/ListModels", "NodeService/ProbeLink", "NodeService/WatchTelemetry",
                "ShardService/PrepareShard", "ShardService/StartShard", "ShardService/StopShard", "ShardService/WatchShards",
            ],
            refused);
    }

    [Fact]
    public void Methods_All_HaveARule() =>
        Assert.All(Methods(), method => Assert.True(AgentCallRules.Rules.Allows(method, PeerRoles.Any), $"{method} has no rule: nobody may call it."));

    [Theory(Timeout = 60_000)]
    [InlineData("/alive", HttpStatusCode.OK)]
    [InlineData("/health", HttpStatusCode.Unauthorized)]
    [InlineData("/", HttpStatusCode.Unauthorized)]
    public async Task Http_WithoutACertificate_OnlyLivenessAnswers(string path, HttpStatusCode expected)
    {
        using var http = _agent.CreateClient();
        using var response = await http.GetAsync(path, TestContext.Current.CancellationToken);
        using var posted = await http.PostAsync("/alive", content: null, TestContext.Current.CancellationToken);

        Assert.Equal((expected, HttpStatusCode.Unauthorized), (response.StatusCode, posted.StatusCode));
    }

    [Fact(Timeout = 60_000)]
    public async Task Forward_ANodeThatIsNotTheNeighbour_IsRefused()
    {
        using var agent = new AgentFactory { Settings = { ["Node:GrpcPort"] = "0" } };
        agent.UseKestrel();
        agent.StartServer();
        var url = agent.Services.GetRequiredService<AgentEndpoints>().GrpcUrl;
        using var channel = TestAuthority.Channel(url, agent.Authority.Credentials("node-b"), ExpectedPeer.Node("node-a"));
        using var call = new Proto.StageService.StageServiceClient(channel).Forward(cancellationToken: TestContext.Current.CancellationToken);
        await call.RequestStream.WriteAsync(
            new Proto.StageFrame { Hello = new Proto.StageHello { DeploymentId = "d", Generation = 1, FromRank = 0, ToRank = 1 } }, TestContext.Current.CancellationToken);

        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));

        // No such shard: the name is compared only with a shard's plan, so this is as far as a stranger gets.
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
    }

    private List<string> Methods() =>
    [
        .. _agent.Services.GetRequiredService<EndpointDataSource>().Endpoints
            .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.FullName)
            .OfType<string>().Distinct().Order(StringComparer.Ordinal),
    ];

    /// <summary>As a unary call that gives up after the first answer: for streams, too, the refusal comes before anything else.</summary>
    private static async Task<StatusCode> CallAsync(CallInvoker invoker, string fullName, CancellationToken cancellationToken)
    {
        var slash = fullName.LastIndexOf('/');
        var bytes = Marshallers.Create(static (byte[] value) => value, static value => value);
        var method = new Method<byte[], byte[]>(MethodType.ServerStreaming, fullName[1..slash], fullName[(slash + 1)..], bytes, bytes);
        using var call = invoker.AsyncServerStreamingCall(method, null, new CallOptions(cancellationToken: cancellationToken), []);
        try
        {
            await call.ResponseStream.MoveNext(cancellationToken);
            return StatusCode.OK;
        }
        catch (RpcException error)
        {
            return error.StatusCode;
        }
    }
}
