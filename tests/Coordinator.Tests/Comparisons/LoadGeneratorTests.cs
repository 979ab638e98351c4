using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Text;
using ClusterLlm.Coordinator.Comparisons.Load;
using ClusterLlm.Coordinator.Comparisons.Workloads;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

/// <summary>The load generator against a real socket, whose server notes by itself when it sent what.</summary>
public sealed class LoadGeneratorTests(ITestOutputHelper output) : IAsyncDisposable
{
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly ConcurrentBag<long[]> _sent = [];
    private WebApplication? _server;

    [Fact(Timeout = 60_000)]
    public async Task Run_PacedStreams_AgreesWithAHandCountOfTheChunks()
    {
        const int Tokens = 100;
        var target = await StartAsync(context => StreamAsync(context, Tokens, TimeSpan.FromMilliseconds(15)), TestContext.Current.CancellationToken);

        var timings = await RunAsync(target, 8, new LoadShape.Closed(4), TestContext.Current.CancellationToken);
        var summary = LoadSummary.Of(timings);

        // By the server's own stamps: (tokens − 1) / (last − first) of each answer, and all tokens / the whole time.
        var byHand = _sent.Select(stamps => (Tokens - 1) / Stopwatch.GetElapsedTime(stamps[0], stamps[^1]).TotalSeconds).Order().ToArray();
        var median = (byHand[3] + byHand[4]) / 2;
        output.WriteLine($"decode {summary.DecodeP50:0.000} tok/s, by hand {median:0.000}; together {summary.AggregateTokensPerSecond:0.00}");
        Assert.Equal((8, 0, 800), (summary.Answered, summary.Failed, summary.Tokens));
        Assert.InRange(summary.DecodeP50 / median, 0.98, 1.02);
        var whole = Stopwatch.GetElapsedTime(_sent.Min(stamps => stamps[0]), _sent.Max(stamps => stamps[^1])).TotalSeconds;
        Assert.InRange(summary.AggregateTokensPerSecond / (800 / whole), 0.95, 1.02);
        Assert.All(timings, timing => Assert.Equal((17, 3), (timing.PromptTokens, timing.CachedTokens)));
    }

    [Fact(Timeout = 60_000)]
    public async Task OpenLoop_ServerTakesOneAtATime_CountsTheWaiting()
    {
        using var one = new SemaphoreSlim(1, 1);
        var target = await StartAsync(async context =>
        {
            await one.WaitAsync(context.RequestAborted);
            try
            {
                await StreamAsync(context, 2, TimeSpan.FromMilliseconds(100));
            }
            finally
            {
                one.Release();
            }
        }, TestContext.Current.CancellationToken);
        var due = Enumerable.Range(0, 10).Select(index => TimeSpan.FromMilliseconds(10 * index)).ToImmutableArray();

        var open = LoadSummary.Of(await RunAsync(target, 10, new LoadShape.Open(due), TestContext.Current.CancellationToken));
        var closed = LoadSummary.Of(await RunAsync(target, 10, new LoadShape.Closed(1), TestContext.Current.CancellationToken));

        // Ten are due within 0.1 s and each takes 0.1 s: the last waits most of a second, which the closed loop never sees.
        Assert.True(open.TimeToFirstTokenP95 > 0.7, $"{open.TimeToFirstTokenP95}");
        Assert.True(closed.TimeToFirstTokenP95 < 0.4, $"{closed.TimeToFirstTokenP95}");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(200, "text/html", "<html>hello</html>", "text/html")]
    [InlineData(500, "application/json", "{\"error\":{\"message\":\"broken\"}}", "500")]
    [InlineData(200, "text/event-stream", "data: what is this\n\ndata: [DONE]\n\n", "no chunk of an answer")]
    [InlineData(200, "text/event-stream", "data: {\"error\":{\"message\":\"out of memory\"}}\n\n", "out of memory")]
    [InlineData(200, "text/event-stream", "data: {\"choices\":[{\"text\":\"a\"}]}\n\n", "without its end mark")]
    [InlineData(200, "text/event-stream", "data: [DONE]\n\n", "no text")]
    [InlineData(200, "text/event-stream", "data: [1,2]\n\ndata: {\"choices\":7,\"usage\":\"x\"}\n\ndata: [DONE]\n\n", "no chunk")]
    public async Task Run_EndpointThatAnswersGarbage_SaysWhatCame(int status, string type, string body, string words)
    {
        var target = await StartAsync(async context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            await context.Response.WriteAsync(body, context.RequestAborted);
        }, TestContext.Current.CancellationToken);

        var summary = LoadSummary.Of(await RunAsync(target, 2, new LoadShape.Closed(2), TestContext.Current.CancellationToken));

        Assert.Equal((0, 2), (summary.Answered, summary.Failed));
        Assert.Contains(words, string.Join(' ', summary.Problems));
        Assert.True(double.IsNaN(summary.AggregateTokensPerSecond));
    }

    [Fact(Timeout = 60_000)]
    public async Task Run_NobodyListens_IsAResult()
    {
        var target = new LoadTarget(new Uri("http://127.0.0.1:9/v1/"), "m", LoadApi.Chat, IgnoreEnd: true);

        var summary = LoadSummary.Of(await RunAsync(target, 1, new LoadShape.Closed(1), TestContext.Current.CancellationToken));

        Assert.Contains("connection failed", string.Join(' ', summary.Problems));
    }

    [Fact]
    public void Poisson_ManyRequests_HaveTheAskedRate()
    {
        var due = LoadShape.Open.Poisson(4000, 50, new Random(5)).DueAt;

        Assert.Equal(due.Order(), due);
        Assert.InRange(4000 / due[^1].TotalSeconds, 47, 53);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    private async Task<LoadTarget> StartAsync(RequestDelegate answer, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _server = builder.Build();
        _server.MapPost("/v1/completions", answer);
        await _server.StartAsync(cancellationToken);
        return new LoadTarget(new Uri($"{_server.Urls.Single()}/v1/"), "m", LoadApi.Completions, IgnoreEnd: true);
    }

    private Task<ImmutableArray<RequestTiming>> RunAsync(LoadTarget target, int requests, LoadShape shape, CancellationToken cancellationToken) => new LoadGenerator(_http, TimeProvider.System).RunAsync(
        target, [.. Enumerable.Range(0, requests).Select(_ => new LoadRequest(Prompt.OfText("a b c"), 100, KeepText: false))], shape, cancellationToken);

    private async Task StreamAsync(HttpContext context, int tokens, TimeSpan pace)
    {
        context.Response.ContentType = "text/event-stream";
        var stamps = new long[tokens];
        using var timer = new PeriodicTimer(pace);
        for (var token = 0; token < tokens; token++)
        {
            await timer.WaitForNextTickAsync(context.RequestAborted);
            stamps[token] = Stopwatch.GetTimestamp();
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"data: {{\"choices\":[{{\"index\":0,\"text\":\"w{token} \"}}]}}\n\n"), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }

        _sent.Add(stamps);
        await context.Response.WriteAsync(
            $"data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":17,\"completion_tokens\":{tokens},\"prompt_tokens_details\":{{\"cached_tokens\":3}}}}}}\n\ndata: [DONE]\n\n", context.RequestAborted);
    }
}
