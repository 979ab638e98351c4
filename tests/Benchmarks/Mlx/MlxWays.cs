using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Mlx.Requests;
using ClusterLlm.Protos.V1;
using Google.Protobuf;
using Grpc.Core;

namespace ClusterLlm.Benchmarks.Mlx;

/// <summary>When the chunks of one answer came, in milliseconds after the request.</summary>
/// <param name="Tokens">Asked for: what comes after them is the end of the answer, which some ways send apart.</param>
internal sealed record MlxTimes(List<double> At, int Tokens)
{
    /// <summary>Used while the answer was made.</summary>
    public ProcessorTime Processor { get; init; }

    /// <summary>From the request to the last chunk.</summary>
    public double WholeMs => At[^1];

    public double FirstToken => At[0];

    /// <summary>Milliseconds per token after the first.</summary>
    public double PerToken => (At[Math.Min(Tokens, At.Count) - 1] - At[0]) / (Math.Min(Tokens, At.Count) - 1);
}

/// <summary>The ways to one engine: directly, through the agent's code, through its gRPC, and through the gateway.</summary>
internal static class MlxWays
{
    /// <param name="onToken">Called for each token.</param>
    public static async Task<MlxTimes> EngineAsync(ServerClient client, string prompt, int tokens, Action? onToken = null)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new { prompt, max_tokens = tokens, temperature = 0, ignore_eos = true, stream = true });
        var clock = new Clock(tokens);
        await foreach (var line in client.StreamAsync("/v1/completions", body, CancellationToken.None))
        {
            var isToken = line is ServerLine.Data data && data.Json.Span.IndexOf("\"text\""u8) >= 0;
            clock.Take(isToken);
            if (isToken)
            {
                onToken?.Invoke();
            }
        }

        return clock.Times;
    }

    public static async Task<MlxTimes> ShardAsync(IShard shard, string prompt, int tokens)
    {
        var clock = new Clock(tokens);
        await foreach (var happening in shard.GenerateAsync(new GenerationRequest("r", NodeAgent.Engines.RequestKind.Completion, Body(prompt, tokens)), CancellationToken.None))
        {
            clock.Take(happening is GenerationEvent.Chunk);
        }

        return clock.Times;
    }

    public static async Task<MlxTimes> AgentAsync(InferenceService.InferenceServiceClient client, string prompt, int tokens)
    {
        var clock = new Clock(tokens);
        using var call = client.Generate(new GenerateRequest
        {
            DeploymentId = MlxNodes.DeploymentId,
            RequestId = "r",
            Kind = Protos.V1.RequestKind.Completion,
            Body = UnsafeByteOperations.UnsafeWrap(Body(prompt, tokens)),
        });
        await foreach (var happening in call.ResponseStream.ReadAllAsync())
        {
            clock.Take(happening.Chunk is not null);
        }

        return clock.Times;
    }

    public static async Task<MlxTimes> GatewayAsync(HttpClient client, string prompt, int tokens)
    {
        var clock = new Clock(tokens);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new ByteArrayContent(Body(prompt, tokens)) };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(), Encoding.UTF8);
        while (await reader.ReadLineAsync() is { } line)
        {
            clock.Take(line.StartsWith("data: {", StringComparison.Ordinal));
        }

        return clock.Times;
    }

    private static byte[] Body(string prompt, int tokens) =>
        JsonSerializer.SerializeToUtf8Bytes(new { model = "free", prompt, max_tokens = tokens, temperature = 0, ignore_eos = true, stream = true });

    private sealed class Clock(int tokens)
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        public MlxTimes Times { get; } = new([], tokens);

        public void Take(bool isToken)
        {
            if (isToken)
            {
                Times.At.Add(Stopwatch.GetElapsedTime(_start).TotalMilliseconds);
            }
        }
    }
}
