using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClusterLlm.Coordinator.OpenApi;

// These types only give the OpenAPI document its schemas. Bodies travel to the engine as the client sent them and answers come back as the engine made
// them, so nothing is ever read into or written from these; unknown members are allowed everywhere.

/// <summary>A chat request. Members that are not listed here are passed to the engine.</summary>
internal sealed record ChatCompletionRequest(
    [property: JsonPropertyName("model"), Description("Name of a deployment.")] string Model,
    [property: JsonPropertyName("messages"), MinLength(1)] IReadOnlyList<ChatMessage> Messages) : SamplingRequest
{
    [JsonPropertyName("max_completion_tokens"), Range(1, int.MaxValue), Description("Most tokens of the answer; wins over max_tokens.")]
    public int? MaxCompletionTokens { get; init; }

    [JsonPropertyName("logprobs"), Description("Log probabilities of the answer's tokens.")]
    public bool? Logprobs { get; init; }

    [JsonPropertyName("top_logprobs"), Range(0, 20), Description("Alternatives per token; only with logprobs.")]
    public int? TopLogprobs { get; init; }

    [JsonPropertyName("tools"), Description("Functions that the model may call.")]
    public IReadOnlyList<JsonElement>? Tools { get; init; }

    [JsonPropertyName("tool_choice"), Description("none, auto, required, or an object that names a function.")]
    public JsonElement? ToolChoice { get; init; }

    [JsonPropertyName("response_format"), Description("text, json_object or json_schema.")]
    public JsonElement? ResponseFormat { get; init; }
}

/// <summary>A request to go on with a text.</summary>
internal sealed record CompletionRequest(
    [property: JsonPropertyName("model"), Description("Name of a deployment.")] string Model,
    [property: JsonPropertyName("prompt"), Description("A string, a list of strings, token ids, or a list of lists of token ids.")] JsonElement Prompt) : SamplingRequest
{
    [JsonPropertyName("echo"), Description("Repeat the prompt before the answer.")]
    public bool? Echo { get; init; }

    [JsonPropertyName("logprobs"), Range(0, 20), Description("Alternatives per token.")]
    public int? Logprobs { get; init; }
}

/// <summary>What both kinds of request share.</summary>
internal abstract record SamplingRequest
{
    [JsonPropertyName("stream"), Description("Answer with server-sent events.")]
    public bool? Stream { get; init; }

    [JsonPropertyName("stream_options")]
    public StreamOptions? StreamOptions { get; init; }

    [JsonPropertyName("max_tokens"), Range(1, int.MaxValue), Description("Most tokens of the answer.")]
    public int? MaxTokens { get; init; }

    [JsonPropertyName("temperature"), Range(0.0, 2.0), Description("0 is greedy.")]
    public double? Temperature { get; init; }

    [JsonPropertyName("top_p"), Range(0.0, 1.0)]
    public double? TopP { get; init; }

    [JsonPropertyName("top_k"), Range(-1, int.MaxValue), Description("0 and -1 mean all tokens.")]
    public int? TopK { get; init; }

    [JsonPropertyName("min_p"), Range(0.0, 1.0)]
    public double? MinP { get; init; }

    [JsonPropertyName("frequency_penalty"), Range(-2.0, 2.0)]
    public double? FrequencyPenalty { get; init; }

    [JsonPropertyName("presence_penalty"), Range(-2.0, 2.0)]
    public double? PresencePenalty { get; init; }

    [JsonPropertyName("repetition_penalty"), Range(0.0, 10.0)]
    public double? RepetitionPenalty { get; init; }

    [JsonPropertyName("seed")]
    public long? Seed { get; init; }

    [JsonPropertyName("n"), Range(1, 128), Description("Answers to make.")]
    public int? N { get; init; }

    [JsonPropertyName("stop"), Description("A string, or a list of up to 8 strings, at which the answer ends.")]
    public JsonElement? Stop { get; init; }

    [JsonPropertyName("logit_bias"), Description("Token id to a bias from -100 to 100.")]
    public IReadOnlyDictionary<string, double>? LogitBias { get; init; }
}

internal sealed record StreamOptions(
    [property: JsonPropertyName("include_usage"), Description("A last chunk with token counts.")] bool? IncludeUsage);

internal sealed record ChatMessage(
    [property: JsonPropertyName("role"), Description("system, developer, user, assistant or tool.")] string Role,
    [property: JsonPropertyName("content"), Description("A string, a list of parts, or null beside tool calls.")] JsonElement? Content,
    [property: JsonPropertyName("tool_calls")] IReadOnlyList<ToolCall>? ToolCalls,
    [property: JsonPropertyName("tool_call_id")] string? ToolCallId);

internal sealed record ToolCall(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("function")] ToolCallFunction Function);

internal sealed record ToolCallFunction(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("arguments"), Description("A string that holds JSON.")] string Arguments);

internal sealed record ChatCompletion(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("object"), Description("chat.completion")] string Object,
    [property: JsonPropertyName("created"), Description("Seconds since 1970-01-01 UTC.")] long Created,
    [property: JsonPropertyName("model")] string Model,
    [property: JsonPropertyName("choices")] IReadOnlyList<ChatChoice> Choices,
    [property: JsonPropertyName("usage")] TokenUsage Usage);

internal sealed record ChatChoice(
    [property: JsonPropertyName("index")] int Index,
    [property: JsonPropertyName("message")] ChatMessage Message,
    [property: JsonPropertyName("logprobs")] JsonElement? Logprobs,
    [property: JsonPropertyName("finish_reason"), Description("stop, length or tool_calls.")] string FinishReason);

internal sealed record Completion(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("object"), Description("text_completion")] string Object,
    [property: JsonPropertyName("created"), Description("Seconds since 1970-01-01 UTC.")] long Created,
    [property: JsonPropertyName("model")] string Model,
    [property: JsonPropertyName("choices")] IReadOnlyList<CompletionChoice> Choices,
    [property: JsonPropertyName("usage")] TokenUsage Usage);

internal sealed record CompletionChoice(
    [property: JsonPropertyName("index")] int Index,
    [property: JsonPropertyName("text")] string Text,
    [property: JsonPropertyName("logprobs")] JsonElement? Logprobs,
    [property: JsonPropertyName("finish_reason"), Description("stop or length.")] string FinishReason);

internal sealed record TokenUsage(
    [property: JsonPropertyName("prompt_tokens")] int PromptTokens,
    [property: JsonPropertyName("completion_tokens")] int CompletionTokens,
    [property: JsonPropertyName("total_tokens")] int TotalTokens,
    [property: JsonPropertyName("prompt_tokens_details")] PromptTokenDetails PromptTokensDetails);

internal sealed record PromptTokenDetails(
    [property: JsonPropertyName("cached_tokens"), Description("Prompt tokens whose keys and values were reused.")] int CachedTokens);

internal sealed record ModelList(
    [property: JsonPropertyName("object"), Description("list")] string Object,
    [property: JsonPropertyName("data")] IReadOnlyList<ModelEntry> Data);

internal sealed record ModelEntry(
    [property: JsonPropertyName("id"), Description("The deployment's name.")] string Id,
    [property: JsonPropertyName("object"), Description("model")] string Object,
    [property: JsonPropertyName("created"), Description("Seconds since 1970-01-01 UTC.")] long Created,
    [property: JsonPropertyName("owned_by")] string OwnedBy,
    [property: JsonPropertyName("root"), Description("The model that the deployment runs.")] string Root,
    [property: JsonPropertyName("max_model_len"), Description("Longest sequence in tokens, prompt and answer together.")] int MaxModelLength,
    [property: JsonPropertyName("ready")] bool Ready,
    [property: JsonPropertyName("state")] string State);

internal sealed record ErrorEnvelope([property: JsonPropertyName("error")] ErrorBody Error);

internal sealed record ErrorBody(
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("param"), Description("The field at fault.")] string? Param,
    [property: JsonPropertyName("code")] string? Code,
    [property: JsonPropertyName("request_id"), Description("Also in the X-Request-Id header.")] string? RequestId);
