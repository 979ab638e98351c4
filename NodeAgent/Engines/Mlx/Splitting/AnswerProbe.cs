using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.NodeAgent.Engines.Mlx.Requests;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Splitting;

/// <summary>Asks a server for a short greedy answer: its readiness by real tokens, and what the gate compares.</summary>
internal static class AnswerProbe
{
    private static readonly byte[] Body = JsonSerializer.SerializeToUtf8Bytes(new
    {
        prompt = "Once upon a time, 1, 2, 3, 4, 5,",
        model = "default_model",
        max_tokens = 12,
        temperature = 0,
        logprobs = true,
        top_logprobs = 2,
        ignore_eos = true,
        stream = true,
        stream_options = new { include_usage = true },
    });

    /// <exception cref="ShardException">The server does not answer as it should.</exception>
    public static async Task<SplitAnswer> AskAsync(ServerClient client, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ending.CancelAfter(limit);
        try
        {
            return await ReadAsync(client, ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ShardException($"The engine is loaded, but gave no answer to a test prompt within {limit.TotalSeconds:0} s.");
        }
        catch (Exception error) when (error is GenerationException or HttpRequestException or IOException or JsonException or InvalidOperationException)
        {
            throw new ShardException($"The engine is loaded, but does not answer a test prompt: {error.Message}", error);
        }
    }

    private static async Task<SplitAnswer> ReadAsync(ServerClient client, CancellationToken cancellationToken)
    {
        List<JsonElement> entries = [];
        var isDone = false;
        await foreach (var line in client.StreamAsync("/v1/completions", Body, cancellationToken).ConfigureAwait(false))
        {
            isDone |= line is ServerLine.Done;
            if (line is ServerLine.Data data)
            {
                using var document = JsonDocument.Parse(data.Json);
                if (document.RootElement.TryGetProperty("clusterllm", out var facts) && facts.TryGetProperty("logprobs", out var found))
                {
                    entries.AddRange(found.EnumerateArray().Select(entry => entry.Clone()));
                }
            }
        }

        return isDone
            ? new SplitAnswer([.. entries.Select(Token)], [.. entries.Select(Logprob)], [.. entries.Select(Margin)])
            : throw new IOException("the answer ended without [DONE]");
    }

    private static int Token(JsonElement entry) => entry.GetProperty("id").GetInt32();

    private static double Logprob(JsonElement entry) => entry.GetProperty("logprob").GetDouble();

    private static double Margin(JsonElement entry)
    {
        var top = entry.GetProperty("top").EnumerateArray().Select(Logprob).ToImmutableArray();
        return top.Length > 1 ? top[0] - top[1] : double.MaxValue;
    }
}
