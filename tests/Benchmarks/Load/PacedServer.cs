using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.Benchmarks.Load;

/// <summary>An OpenAI endpoint that sends a token at a fixed pace and stamps each one itself.</summary>
internal sealed class PacedServer : IAsyncDisposable
{
    // The generator's warm-up asks for fewer.
    private const int WarmUpTokens = 4;

    private readonly WebApplication _app;
    private readonly TimeSpan _pace;
    private readonly ConcurrentBag<(long Arrived, long[] Sent)> _answers = [];

    private PacedServer(WebApplication app, TimeSpan pace) => (_app, _pace) = (app, pace);

    public string Url => _app.Urls.Single();

    public static async Task<PacedServer> StartAsync(TimeSpan pace)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var server = new PacedServer(app, pace);
        app.MapPost("/v1/completions", server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    /// <summary>(tokens − 1) / (last − first), by the stamps of sending.</summary>
    public double MedianDecode(int tokens)
    {
        var speeds = _answers.Select(answer => (tokens - 1) / Stopwatch.GetElapsedTime(answer.Sent[0], answer.Sent[^1]).TotalSeconds).Order().ToArray();
        return (speeds[(speeds.Length - 1) / 2] + speeds[speeds.Length / 2]) / 2;
    }

    /// <summary>All tokens / (last token sent − first request arrived).</summary>
    public double Together(int tokens) =>
        _answers.Count * tokens / Stopwatch.GetElapsedTime(_answers.Min(answer => answer.Arrived), _answers.Max(answer => answer.Sent[^1])).TotalSeconds;

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var arrived = Stopwatch.GetTimestamp();
        using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        var tokens = body.RootElement.GetProperty("max_tokens").GetInt32();
        context.Response.ContentType = "text/event-stream";
        var sent = new long[tokens];
        using var timer = new PeriodicTimer(_pace);
        for (var token = 0; token < tokens; token++)
        {
            await timer.WaitForNextTickAsync(context.RequestAborted);
            sent[token] = Stopwatch.GetTimestamp();
            await context.Response.Body.WriteAsync("data: {\"choices\":[{\"index\":0,\"text\":\" token\"}]}\n\n"u8.ToArray(), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }

        if (tokens > WarmUpTokens)
        {
            _answers.Add((arrived, sent));
        }

        await context.Response.Body.WriteAsync(
            Encoding.UTF8.GetBytes($"data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":16,\"completion_tokens\":{tokens}}}}}\n\ndata: [DONE]\n\n"), context.RequestAborted);
    }
}
