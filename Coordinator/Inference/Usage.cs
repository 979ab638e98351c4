using System.Text.Json;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>OpenAI's <c>usage</c> object.</summary>
internal static class Usage
{
    /// <summary>Writes the member <c>usage</c> with the counts of <paramref name="finished"/>, in tokens.</summary>
    public static void Write(Utf8JsonWriter json, GenerateFinished finished)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", finished.PromptTokens);
        json.WriteNumber("completion_tokens", finished.CompletionTokens);
        json.WriteNumber("total_tokens", (long)finished.PromptTokens + finished.CompletionTokens);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", finished.CachedTokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
