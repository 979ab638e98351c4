using System.Diagnostics;
using Grpc.Net.Client;
using Grpc.Health.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class ObservabilityTests
{
    [Fact(Timeout = 30_000)]
    public async Task GrpcCall_BetweenProcesses_StaysInOneTrace()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2));
        builder.AddServiceDefaults();
        await using var app = builder.Build();
        var seen = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Use((context, next) =>
        {
            seen.TrySetResult(context.Request.Headers.TraceParent);
            return next(context);
        });
        app.MapDefaultEndpoints();
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var source = new ActivitySource("ClusterLlm.Test");
        using var channel = GrpcChannel.ForAddress(app.Urls.Single());

        using var activity = source.StartActivity("a request");
        await new Health.HealthClient(channel).CheckAsync(new(), cancellationToken: TestContext.Current.CancellationToken);

        Assert.NotNull(activity);
        Assert.Contains(activity.TraceId.ToHexString(), await seen.Task, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/health", true)]
    [InlineData("/alive", true)]
    [InlineData("/grpc.health.v1.Health/Check", true)]
    [InlineData("/healthy", false)]
    [InlineData("/v1/models", false)]
    public void IsProbe_Path_Decides(string path, bool expected) => Assert.Equal(expected, HealthEndpoints.IsProbe(new PathString(path)));

    [Fact]
    public void From_NodeSettings_NameTheInstance()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Node:Id", "node-1")]).Build();

        var identity = ServiceIdentity.From(configuration, "ClusterLlm.NodeAgent");

        Assert.Equal(("nodeagent", "node-1"), (identity.Name, identity.InstanceId));
    }
}
