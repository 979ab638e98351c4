using System.Buffers;
using ClusterLlm.NodeAgent.Engines.Builtin.Model;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>What goes from stage to stage, in this order on every link.</summary>
internal abstract record StageWork
{
    private StageWork()
    {
    }

    /// <summary>One forward pass of a batch.</summary>
    /// <param name="Tokens">To the first stage: ids of all rows; else empty.</param>
    /// <param name="Activations">To the other stages: rows × hidden size float32, little-endian; else empty.</param>
    /// <param name="Rented">The pooled array behind <paramref name="Activations"/>; whoever consumes the step gives it back.</param>
    internal sealed record Step(
        ulong StepId, SequenceSegment[] Segments, int[] Tokens, ReadOnlyMemory<byte> Activations, byte[]? Rented = null) : StageWork
    {
        /// <summary>Sequences that begin with this step and are traced.</summary>
        public SequenceTrace[] Traces { get; init; } = [];

        public int Rows => Segments.Sum(segment => segment.Rows);

        public void ReturnBuffer()
        {
            if (Rented is not null)
            {
                ArrayPool<byte>.Shared.Return(Rented);
            }
        }
    }

    /// <summary>Sequences have ended: their slots may be forgotten.</summary>
    internal sealed record Release(int[] Slots) : StageWork;

    /// <summary>A stage can't go on.</summary>
    /// <param name="Rank">The one that failed first.</param>
    /// <param name="Message">A sentence that names the rank; passed on as it is.</param>
    internal sealed record Failure(int Rank, string Message) : StageWork;
}

/// <summary>The trace that a sequence belongs to.</summary>
/// <param name="Parent">W3C <c>traceparent</c>.</param>
internal readonly record struct SequenceTrace(int Slot, string Parent);
