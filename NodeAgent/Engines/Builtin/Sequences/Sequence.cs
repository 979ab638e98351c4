using System.Threading.Channels;
using ClusterLlm.NodeAgent.Engines.Builtin.Sampling;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

/// <summary>A request on its way through queue, prefill and decode. Its state belongs to the scheduler.</summary>
internal sealed class Sequence(SequenceRequest request, long arrivedAt)
{
    // Without a limit of its own: at most one event per token and chunk, and a reader that is slow must not stop the batch.
    private readonly Channel<SequenceEvent> _events = Channel.CreateUnbounded<SequenceEvent>(
        new UnboundedChannelOptions { SingleReader = true });

    public SequenceRequest Request { get; } = request;

    public TokenSampler Sampler { get; } = new(request.Sampling, request.Prompt);

    public ChannelReader<SequenceEvent> Events => _events.Reader;

    public long ArrivedAt { get; } = arrivedAt;

    /// <summary>−1 while it waits.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Prompt tokens that were sent to the first stage.</summary>
    public int SentPrompt { get; set; }

    /// <summary>Position of the next row in the sequence.</summary>
    public int Position { get; set; }

    public int Generated { get; set; }

    /// <summary>The token to be sent next; null while prefill or a step is under way.</summary>
    public int? NextToken { get; set; }

    public bool HasEnded { get; set; }

    public bool IsPrefilling => SentPrompt < Request.Prompt.Length;

    public void Tell(SequenceEvent sequenceEvent) => _events.Writer.TryWrite(sequenceEvent);

    public void Close(Exception? failure) => _events.Writer.TryComplete(failure);
}
