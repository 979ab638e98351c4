using System.Diagnostics;
using System.Text;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.Protos.V1;
using Google.Protobuf;
using Grpc.Core;

namespace ClusterLlm.Benchmarks.Gateway;

/// <summary>What one stream saw.</summary>
/// <param name="FirstToken">From sending the request to the first chunk.</param>
/// <param name="Travel">Per token, from its making in the engine to its reading here, in milliseconds.</param>
internal sealed record StreamResult(TimeSpan FirstToken, List<double> Travel);

/// <summary>One way to ask for a stream of tokens.</summary>
internal interface ILoad
{
    Task<StreamResult> RunAsync(int tokens, int paceMilliseconds);
}

/// <summary>Bodies, and the reading of what comes back.</summary>
internal static class Loads
{
    public static byte[] Body(int tokens, int paceMilliseconds) => Encoding.UTF8.GetBytes(
        $$"""{"model":"free","messages":[{"role":"user","content":"What is a shard?"}],"stream":true,"max_tokens":{{tokens}},"pace_ms":{{paceMilliseconds}}}""");

    /// <summary>Milliseconds since the chunk was made; <see langword="null"/> when <paramref name="json"/> carries no time.</summary>
    public static double? Travel(ReadOnlySpan<byte> json)
    {
        var at = json.LastIndexOf("\"t\":"u8);
        if (at < 0 || !System.Buffers.Text.Utf8Parser.TryParse(json[(at + 4)..], out long made, out _))
        {
            return null;
        }

        return Stopwatch.GetElapsedTime(made).TotalMilliseconds;
    }
}

/// <summary>The engine itself, in this process: what the measuring costs.</summary>
internal sealed class EngineLoad(FreeShard shard) : ILoad
{
    public async Task<StreamResult> RunAsync(int tokens, int paceMilliseconds)
    {
        var started = Stopwatch.GetTimestamp();
        var first = TimeSpan.Zero;
        var travel = new List<double>(tokens);
        var request = new GenerationRequest("r", NodeAgent.Engines.RequestKind.ChatCompletion, Loads.Body(tokens, paceMilliseconds));
        await foreach (var happening in shard.GenerateAsync(request, CancellationToken.None))
        {
            if (happening is GenerationEvent.Chunk chunk && Loads.Travel(chunk.Json.Span) is { } milliseconds)
            {
                first = first == TimeSpan.Zero ? Stopwatch.GetElapsedTime(started) : first;
                travel.Add(milliseconds);
            }
        }

        return new(first, travel);
    }
}

/// <summary>The agent's gRPC service, without the gateway.</summary>
internal sealed class AgentLoad(InferenceService.InferenceServiceClient client) : ILoad
{
    public async Task<StreamResult> RunAsync(int tokens, int paceMilliseconds)
    {
        var started = Stopwatch.GetTimestamp();
        var first = TimeSpan.Zero;
        var travel = new List<double>(tokens);
        using var call = client.Generate(new GenerateRequest
        {
            DeploymentId = AgentPart.DeploymentId,
            RequestId = "r",
            Kind = Protos.V1.RequestKind.ChatCompletion,
            Body = UnsafeByteOperations.UnsafeWrap(Loads.Body(tokens, paceMilliseconds)),
        });
        await foreach (var happening in call.ResponseStream.ReadAllAsync())
        {
            if (happening.Chunk is { } chunk && Loads.Travel(chunk.Json.Span) is { } milliseconds)
            {
                first = first == TimeSpan.Zero ? Stopwatch.GetElapsedTime(started) : first;
                travel.Add(milliseconds);
            }
        }

        return new(first, travel);
    }
}

/// <summary>The whole way: HTTP to the gateway, gRPC to the agent.</summary>
internal sealed class GatewayLoad(HttpClient client) : ILoad
{
    private const int BufferBytes = 64 * 1024;

    public async Task<StreamResult> RunAsync(int tokens, int paceMilliseconds)
    {
        var started = Stopwatch.GetTimestamp();
        var first = TimeSpan.Zero;
        var travel = new List<double>(tokens);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new ByteArrayContent(Loads.Body(tokens, paceMilliseconds)) };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        await using var stream = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[BufferBytes];
        var filled = 0;
        int read;
        while ((read = await stream.ReadAsync(buffer.AsMemory(filled))) > 0)
        {
            filled += read;
            var used = TakeEvents(buffer.AsSpan(0, filled), travel);
            buffer.AsSpan(used, filled - used).CopyTo(buffer);
            filled -= used;
            first = first == TimeSpan.Zero && travel.Count > 0 ? Stopwatch.GetElapsedTime(started) : first;
        }

        return travel.Count == tokens ? new(first, travel) : throw new InvalidOperationException($"{travel.Count} of {tokens} tokens came.");
    }

    /// <returns>Bytes of whole events.</returns>
    private static int TakeEvents(ReadOnlySpan<byte> received, List<double> travel)
    {
        var used = 0;
        int end;
        while ((end = received[used..].IndexOf("\n\n"u8)) >= 0)
        {
            if (Loads.Travel(received.Slice(used, end)) is { } milliseconds)
            {
                travel.Add(milliseconds);
            }

            used += end + 2;
        }

        return used;
    }
}
