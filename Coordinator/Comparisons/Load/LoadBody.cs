using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClusterLlm.Coordinator.Comparisons.Load;

/// <summary>Bodies of requests. Pure.</summary>
internal static class LoadBody
{
    /// <summary>Greedy, streamed, with usage, of an exact length where the endpoint can do that.</summary>
    public static byte[] Of(LoadTarget target, LoadRequest request)
    {
        var body = new JsonObject
        {
            ["model"] = target.Model,
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
            ["temperature"] = 0,
            ["max_tokens"] = request.OutputTokens,
        };
        if (target.IgnoreEnd)
        {
            body["ignore_eos"] = true;
        }

        if (target.Api == LoadApi.Chat)
        {
            body["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = request.Prompt.Text ?? throw new ArgumentException("A chat needs a text; token ids go to completions only.", nameof(request)) });
        }
        else
        {
            body["prompt"] = request.Prompt.Text is { } text ? JsonValue.Create(text) : new JsonArray([.. request.Prompt.Tokens.Select(token => (JsonNode)token)]);
        }

        return JsonSerializer.SerializeToUtf8Bytes(body);
    }
}
