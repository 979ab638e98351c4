using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClusterLlm.Testing;

/// <summary>Request bodies that are wrong in one or two places, always the same for a number.</summary>
public static class BrokenBodies
{
    private static readonly string[] Fields =
    [
        "temperature", "top_p", "top_k", "min_p", "max_tokens", "max_completion_tokens", "n", "seed", "stop", "logit_bias", "logprobs", "top_logprobs",
        "presence_penalty", "frequency_penalty", "repetition_penalty", "stream", "stream_options", "model", "adapters", "draft_model", "tools",
        "tool_choice", "response_format", "chat_template_kwargs", "best_of", "echo", "suffix", "role_mapping", "xtc_probability", "xtc_threshold",
        "repetition_context_size", "num_draft_tokens", "ignore_eos",
    ];

    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "1.5", "1e999", "-1e999", "99999999999999999999", "\"\"", "\"x\"", "\"NaN\"", "[]", "[\"\"]", "[5]", "[null]",
        "{}", "{\"5\": 1}", "{\"99999999999\": 1}", "{\"-5\": -1}", "{\"512\": 5}", "{\"x\": 1}", "{\"type\": \"json_object\"}", "[[1]]", "\"\\ud800\"", "\"/etc/passwd\"",
        "[{\"type\": \"function\"}]", "{\"include_usage\": 5}", "2147483648",
    ];

    private static readonly string[] Messages =
    [
        "null", "[]", "\"hi\"", "[5]", "[{}]", "[{\"role\": \"robot\", \"content\": \"x\"}]", "[{\"role\": 5, \"content\": \"x\"}]", "[{\"role\": \"user\"}]",
        "[{\"role\": \"user\", \"content\": 5}]", "[{\"role\": \"user\", \"content\": [{\"type\": \"image_url\", \"image_url\": {\"url\": \"file:///etc/passwd\"}}]}]",
        "[{\"role\": \"user\", \"content\": [{\"type\": \"text\"}]}]", "[{\"role\": \"assistant\", \"content\": null, \"tool_calls\": 5}]",
        "[{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"function\": {\"name\": \"f\", \"arguments\": \"{no json\"}}]}]",
        "[{\"role\": \"tool\", \"content\": \"x\"}]", "[{\"role\": \"user\", \"content\": \"\\ud800\"}]",
    ];

    private static readonly string[] Prompts =
    [
        "null", "\"\"", "5", "[]", "[\"a\", \"b\"]", "[[]]", "[512]", "[-1]", "[true]", "[\"a\", 5]", "[[1], [2]]", "{}", "\"\\u0000\"", "\"\\ud800\"", "[1.5]",
    ];

    public static byte[] Make(int number, bool isChat)
    {
        var random = new Random(number);
        if (random.Next(20) == 0)
        {
            return Text(random.Next(6) switch { 0 => "", 1 => "{", 2 => "[]", 3 => "\"x\"", 4 => "{\"prompt\": NaN}", _ => "\u0001" });
        }

        var body = isChat
            ? new JsonObject { ["messages"] = JsonNode.Parse("[{\"role\": \"user\", \"content\": \"Hi\"}]") }
            : new JsonObject { ["prompt"] = "Hello" };
        body["max_tokens"] = 2;
        var raw = body.ToJsonString()[..^1];
        foreach (var _ in Enumerable.Range(0, random.Next(1, 3)))
        {
            var (field, values) = random.Next(4) == 0 ? (isChat ? "messages" : "prompt", isChat ? Messages : Prompts) : (Fields[random.Next(Fields.Length)], Values);
            // A name that stands twice: the last one counts, which is one more thing that can go wrong.
            raw += $", {JsonSerializer.Serialize(field)}: {values[random.Next(values.Length)]}";
        }

        return Text(raw + "}");
    }

    private static byte[] Text(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
