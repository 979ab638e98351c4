using ClusterLlm.Coordinator.Security;
using ClusterLlm.Coordinator.Tests.Fakes;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ClusterLlm.Coordinator.Tests.Security;

/// <summary>Every gRPC method that the Coordinator maps, found by asking it and not by a list here.</summary>
public sealed class CallGateTests
{
    [Fact(Timeout = 120_000)]
    public async Task Methods_WithoutACertificate_OnlyThoseThatGiveOneAnswer()
    {
        await using var host = new CoordinatorHost();
        using var channel = host.Channel(certificate: null);
        var methods = Methods(host.Services);
        Assert.True(methods.Count >= 8, string.Join(' ', methods));

        var answered = new List<string>();
        foreach (var method in methods)
        {
            if (await CallAsync(channel.CreateCallInvoker(), method, TestContext.Current.CancellationToken) != StatusCode.Unauthenticated)
            {
                answered.Add(method);
            }
        }

        // Enroll is refused by itself: its token is wrong.
        Assert.Equal(["/clusterllm.v1.EnrollmentService/GetAuthority"], answered);
        Assert.Equal(2, CoordinatorCallRules.Rules.Open.Count);
    }

    [Fact(Timeout = 120_000)]
    public async Task Methods_AsAnotherCoordinator_ThoseOfNodesAreRefused()
    {
        await using var host = new CoordinatorHost();
        var own = host.Services.GetRequiredService<ServiceDefaults.Security.ClusterCredentials>().Current!;
        using var channel = host.Channel(own.Certificate);

        foreach (var method in Methods(host.Services).Where(method => method.Contains("Membership", StringComparison.Ordinal)))
        {
            Assert.Equal(StatusCode.PermissionDenied, await CallAsync(channel.CreateCallInvoker(), method, TestContext.Current.CancellationToken));
        }
    }

    /// <summary>Full names of all mapped methods; the fallbacks for unknown ones are not methods.</summary>
    private static List<string> Methods(IServiceProvider services) =>
    [
        .. services.GetRequiredService<EndpointDataSource>().Endpoints
            .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.FullName)
            .OfType<string>().Distinct().Order(StringComparer.Ordinal),
    ];

    private static async Task<StatusCode> CallAsync(CallInvoker invoker, string fullName, CancellationToken cancellationToken)
    {
        var slash = fullName.LastIndexOf('/');
        var bytes = Marshallers.Create(static (byte[] value) => value, static value => value);
        var method = new Method<byte[], byte[]>(MethodType.Unary, fullName[1..slash], fullName[(slash + 1)..], bytes, bytes);
        try
        {
            await invoker.AsyncUnaryCall(method, null, new CallOptions(cancellationToken: cancellationToken), []);
            return StatusCode.OK;
        }
        catch (RpcException error)
        {
            return error.StatusCode;
        }
    }
}
