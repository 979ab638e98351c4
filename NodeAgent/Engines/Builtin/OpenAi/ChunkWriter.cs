using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Sampling;
using ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>Writes the chunks of one answer. <c>id</c>, <c>created</c> and <c>model</c> are placeholders that the gateway replaces.</summary>
internal sealed class ChunkWriter(GenerationPlan plan, ModelTokenizer tokenizer)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly ArrayBufferWriter<byte> _buffer = new(512);
    private int _textOffset;

    private bool IsChat => plan.Kind == RequestKind.ChatCompletion;

    /// <summary>The first chunk of a chat: it says who speaks.</summary>
    public ReadOnlyMemory<byte> Role() => Write(json =>
    {
        json.WriteStartObject("delta");
        json.WriteString("role", "assistant");
        json.WriteString("content", "");
        json.WriteEndObject();
        json.WriteNull("finish_reason");
    });

    /// <summary>A piece of text with the tokens that it stands for.</summary>
    public ReadOnlyMemory<byte> Text(string text, IReadOnlyList<SequenceEvent.Token> tokens, string? finishReason) => Write(json =>
    {
        if (IsChat)
        {
            json.WriteStartObject("delta");
            if (text.Length > 0)
            {
                json.WriteString("content", text);
            }

            json.WriteEndObject();
        }
        else
        {
            json.WriteString("text", text);
        }

        WriteLogProbs(json, tokens);
        json.WriteString("finish_reason", finishReason);
    });

    private byte[] Write(Action<Utf8JsonWriter> writeChoice)
    {
        _buffer.ResetWrittenCount();
        using var json = new Utf8JsonWriter(_buffer, Options);
        json.WriteStartObject();
        json.WriteString("id", plan.RequestId);
        json.WriteString("object", IsChat ? "chat.completion.chunk" : "text_completion");
        json.WriteNumber("created", 0);
        json.WriteString("model", "");
        json.WriteStartArray("choices");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
        writeChoice(json);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return _buffer.WrittenSpan.ToArray();
    }

    private void WriteLogProbs(Utf8JsonWriter json, IReadOnlyList<SequenceEvent.Token> tokens)
    {
        if (!plan.WantsLogProbs)
        {
            json.WriteNull("logprobs");
        }
        else if (IsChat)
        {
            WriteChatLogProbs(json, tokens);
        }
        else
        {
            WriteCompletionLogProbs(json, tokens);
        }
    }

    private void WriteChatLogProbs(Utf8JsonWriter json, IReadOnlyList<SequenceEvent.Token> tokens)
    {
        json.WriteStartObject("logprobs");
        json.WriteStartArray("content");
        foreach (var token in tokens)
        {
            json.WriteStartObject();
            WriteChatToken(json, new TokenLogProb(token.Id, token.LogProb));
            json.WriteStartArray("top_logprobs");
            foreach (var top in token.Top)
            {
                json.WriteStartObject();
                WriteChatToken(json, top);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNull("refusal");
        json.WriteEndObject();
    }

    private void WriteChatToken(Utf8JsonWriter json, TokenLogProb token)
    {
        json.WriteString("token", TokenName(token.Token));
        json.WriteNumber("logprob", Finite(token.LogProb));
        json.WriteStartArray("bytes");
        foreach (var value in tokenizer.TokenBytes(token.Token))
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }

    private void WriteCompletionLogProbs(Utf8JsonWriter json, IReadOnlyList<SequenceEvent.Token> tokens)
    {
        json.WriteStartObject("logprobs");
        json.WriteStartArray("tokens");
        foreach (var token in tokens)
        {
            json.WriteStringValue(TokenName(token.Id));
        }

        json.WriteEndArray();
        json.WriteStartArray("token_logprobs");
        foreach (var token in tokens)
        {
            json.WriteNumberValue(Finite(token.LogProb));
        }

        json.WriteEndArray();
        WriteTopByName(json, tokens);
        json.WriteStartArray("text_offset");
        foreach (var token in tokens)
        {
            json.WriteNumberValue(_textOffset);
            _textOffset += tokenizer.TokenText(token.Id).Length;
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteTopByName(Utf8JsonWriter json, IReadOnlyList<SequenceEvent.Token> tokens)
    {
        json.WriteStartArray("top_logprobs");
        foreach (var token in tokens)
        {
            json.WriteStartObject();

            // Two tokens may have the same text (parts of characters do); a JSON name stands once, for the likelier one.
            foreach (var top in token.Top.DistinctBy(top => TokenName(top.Token)))
            {
                json.WriteNumber(TokenName(top.Token), Finite(top.LogProb));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private string TokenName(int token) =>
        plan.TokensAsIds ? string.Create(CultureInfo.InvariantCulture, $"token_id:{token}") : tokenizer.TokenText(token);

    /// <summary>JSON has no infinity; OpenAI writes −9999 for a probability of zero.</summary>
    private static float Finite(float logProb) => float.IsFinite(logProb) ? logProb : -9999;
}
