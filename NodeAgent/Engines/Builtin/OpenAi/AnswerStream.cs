using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Sampling;
using ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>Turns the tokens of one answer into chunks: text as far as no stop string can begin in it, and log-probabilities with it.</summary>
internal sealed class AnswerStream(GenerationPlan plan, ModelTokenizer tokenizer)
{
    private readonly ChunkWriter _writer = new(plan, tokenizer);
    private readonly TokenTextDecoder _text = tokenizer.CreateTextStream();
    private readonly StopMatcher _stops = new(plan.Stops);
    private readonly List<SequenceEvent.Token> _pending = [];
    private bool _hasBegun;

    /// <summary>Set once the answer is complete: <c>stop</c> or <c>length</c>.</summary>
    public string? FinishReason { get; private set; }

    /// <summary>Tokens so far, the one that ended the answer included.</summary>
    public int CompletionTokens { get; private set; }

    /// <summary>Takes a token; gives the chunks that can go out.</summary>
    public IEnumerable<GenerationEvent.Chunk> Append(SequenceEvent.Token token)
    {
        CompletionTokens++;
        if (!_hasBegun && plan.Kind == RequestKind.ChatCompletion)
        {
            yield return new GenerationEvent.Chunk(_writer.Role(), 0);
        }

        _hasBegun = true;
        _pending.Add(token);
        var text = _stops.Append(token.IsEnd ? "" : _text.Append(token.Id));
        FinishReason = _stops.IsStopped ? "stop" : token.FinishReason;
        if (FinishReason is not null && !_stops.IsStopped)
        {
            text += _stops.Append(_text.Finish());
            text += _stops.Finish();
        }

        if (text.Length > 0 || FinishReason is not null)
        {
            yield return Flush(text, FinishReason);
        }
    }

    private GenerationEvent.Chunk Flush(string text, string? finishReason)
    {
        // The token that ends an answer has no text and no log-probability in it, but it was generated and counts.
        var shown = _pending.Where(token => !token.IsEnd).ToList();
        var chunk = new GenerationEvent.Chunk(_writer.Text(text, shown, finishReason), _pending.Count);
        _pending.Clear();
        return chunk;
    }
}
