using System.Net;
using System.Text.Json;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class HealthEndpointsTests
{
    [Fact(Timeout = 30_000)]
    public async Task Health_OneCheckFails_Is503WithDetailsWhileAliveIs200()
    {
        await using var app = await StartAsync(HealthCheckResult.Unhealthy("no disk", new IOException("secret path")));
        using var client = app.GetTestClient();

        using var ready = await client.GetAsync(new Uri("/health", UriKind.Relative), TestContext.Current.CancellationToken);
        using var alive = await client.GetAsync(new Uri("/alive", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal("application/json", ready.Content.Headers.ContentType?.MediaType);
        var text = await ready.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        using var report = JsonDocument.Parse(text);
        Assert.Equal("Unhealthy", report.RootElement.GetProperty("status").GetString());
        Assert.Equal("no disk", report.RootElement.GetProperty("checks").GetProperty("disk").GetProperty("description").GetString());
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }

    [Fact(Timeout = 30_000)]
    public async Task GrpcHealth_AllChecksPass_Serves()
    {
        await using var app = await StartAsync(HealthCheckResult.Healthy());
        using var channel = GrpcChannel.ForAddress("http://localhost", new() { HttpHandler = app.GetTestServer().CreateHandler() });

        var answer = await new Health.HealthClient(channel).CheckAsync(new(), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
    }

    private static async Task<WebApplication> StartAsync(HealthCheckResult disk)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.AddServiceDefaults();
        builder.Services.AddHealthChecks().AddCheck("disk", () => disk);
        var app = builder.Build();
        app.MapDefaultEndpoints();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
