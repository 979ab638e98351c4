using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using ClusterLlm.AppHost.Cluster;

namespace ClusterLlm.AppHost.Commands;

/// <summary>One streamed chat request to a deployment, timed.</summary>
internal static class TestPrompt
{
    private const int DefaultMostTokens = 64;

    /// <param name="deployment">Id of the deployment.</param>
    public static async Task<CommandOutcome> RunAsync(
        ClusterClient cluster, string deployment, IReadOnlyDictionary<string, string?> values, TimeProvider time, CancellationToken cancellationToken)
    {
        var known = await cluster.DeploymentsAsync(cancellationToken).ConfigureAwait(false);
        if (known.FirstOrDefault(each => each.Id == deployment) is not { } found)
        {
            return new(Success: false, $"There is no deployment '{deployment}' any more.");
        }

        var prompt = CommandValues.Text(values, "prompt");
        var request = new
        {
            model = found.Name,
            stream = true,
            stream_options = new { include_usage = true },
            temperature = 0,
            max_tokens = CommandValues.Number(values, "maxTokens") ?? DefaultMostTokens,
            messages = new[] { new { role = "user", content = prompt } },
        };
        var began = time.GetTimestamp();
        using var response = await cluster.ChatAsync(request, cancellationToken).ConfigureAwait(false);
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var reading = await ReadAsync(stream, time, cancellationToken).ConfigureAwait(false);
        if (reading.Problem is { } problem)
        {
            return new(Success: false, problem);
        }

        var first = time.GetElapsedTime(began, reading.FirstAt ?? reading.LastAt);
        var rest = time.GetElapsedTime(reading.FirstAt ?? reading.LastAt, reading.LastAt);
        double? rate = reading.Tokens > 1 && rest > TimeSpan.Zero ? (reading.Tokens - 1) / rest.TotalSeconds : null;
        return new(Success: true, $"{found.Name} answered with {reading.Tokens} tokens.")
        {
            Markdown = CommandMarkdown.Answer(prompt, reading.Text, first, reading.Tokens, rate),
        };
    }

    private static async Task<AnswerReading> ReadAsync(Stream stream, TimeProvider time, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        long? firstAt = null;
        int? counted = null;
        var deltas = 0;
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.Data == "[DONE]")
            {
                break;
            }

            using var chunk = JsonDocument.Parse(item.Data);
            if (chunk.RootElement.TryGetProperty("error", out var error))
            {
                return new("", 0, null, 0, error.GetProperty("message").GetString());
            }

            counted = Tokens(chunk.RootElement) ?? counted;
            if (Delta(chunk.RootElement) is { Length: > 0 } delta)
            {
                firstAt ??= time.GetTimestamp();
                text.Append(delta);
                deltas++;
            }
        }

        return new(text.ToString(), counted ?? deltas, firstAt, time.GetTimestamp(), Problem: null);
    }

    private static int? Tokens(JsonElement chunk) =>
        chunk.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object
        && usage.TryGetProperty("completion_tokens", out var tokens) ? tokens.GetInt32() : null;

    private static string? Delta(JsonElement chunk)
    {
        if (!chunk.TryGetProperty("choices", out var choices) || choices.GetArrayLength() == 0
            || !choices[0].TryGetProperty("delta", out var delta))
        {
            return null;
        }

        return delta.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String ? content.GetString()
            : delta.TryGetProperty("reasoning_content", out var reasoning) && reasoning.ValueKind == JsonValueKind.String ? reasoning.GetString()
            : null;
    }

    /// <param name="FirstAt">Time stamp of the first text; null when there was none.</param>
    /// <param name="Problem">What the stream says went wrong.</param>
    private readonly record struct AnswerReading(string Text, int Tokens, long? FirstAt, long LastAt, string? Problem);
}
