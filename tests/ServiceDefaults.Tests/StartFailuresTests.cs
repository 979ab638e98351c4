using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class StartFailuresTests
{
    [Fact(Timeout = 30_000)]
    public async Task RunAsync_PortInUse_SaysItInOneLineAndReturns3()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;

        var (code, errors) = await RunAsync(builder => builder.WebHost.UseUrls($"http://127.0.0.1:{port}"), TestContext.Current.CancellationToken);

        Assert.Equal(3, code);
        Assert.Contains($"127.0.0.1:{port}", errors, StringComparison.Ordinal);
        Assert.Contains("another port", errors, StringComparison.Ordinal);
        Assert.Single(errors.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact(Timeout = 30_000)]
    public async Task RunAsync_InvalidOptions_NamesThemAllAndReturns2()
    {
        var (code, errors) = await RunAsync(builder => builder.Services.AddOptions<Limits>()
            .Validate(_ => false, "Limits:A is -1: set it to 1 or more.")
            .Validate(_ => false, "Limits:B is 7: set it to at most 5.")
            .ValidateOnStart(), TestContext.Current.CancellationToken);

        Assert.Equal(2, code);
        Assert.Contains("Limits:A is -1", errors, StringComparison.Ordinal);
        Assert.Contains("Limits:B is 7", errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task RunAsync_WrongTypeInSettings_NamesKeyAndValueAndReturns2()
    {
        var (code, errors) = await RunAsync(builder =>
        {
            builder.Configuration["Limits:A"] = "many";
            builder.Services.AddOptions<Limits>().BindConfiguration("Limits").ValidateOnStart();
        }, TestContext.Current.CancellationToken);

        Assert.Equal(2, code);
        Assert.Contains("Limits:A", errors, StringComparison.Ordinal);
        Assert.Contains("many", errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task RunAsync_StoppedWhileStarting_IsACleanStop()
    {
        var (code, errors) = await RunAsync(builder => builder.Services.AddHostedService<StopsItself>(), TestContext.Current.CancellationToken);

        Assert.Equal((0, ""), (code, errors));
    }

    [Fact]
    public void Explain_UnknownFailure_IsNull() => Assert.Null(StartFailures.Explain(new InvalidOperationException("a defect")));

    private static async Task<(int Code, string Errors)> RunAsync(Action<WebApplicationBuilder> configure, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddServiceDefaults();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        configure(builder);
        await using var app = builder.Build();
        using var errors = new StringWriter();
        return (await ClusterApplication.RunAsync(app, errors).WaitAsync(cancellationToken), errors.ToString());
    }

    /// <summary>A start that takes long, during which the process is asked to end.</summary>
    private sealed class StopsItself(IHostApplicationLifetime lifetime) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            lifetime.StopApplication();
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Limits
    {
        public int A { get; set; }
    }
}
