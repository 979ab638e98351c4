using System.Collections.Frozen;
using ClusterLlm.NodeAgent.Engines.Builtin.Sampling;
using ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin.Sequences;

public sealed class StepBuilderTests
{
    private const int Chunk = 16;

    [Fact]
    public void Build_NobodyDecodes_TakesAWholeChunk()
    {
        var step = StepBuilder.Build(0, [Prompt(0, 40)], [], new StepLimits(Chunk, 2, 2));

        Assert.Equal(Chunk, step!.Tokens.Count);
    }

    [Fact]
    public void Build_OthersDecodeInOneBatch_TakesAChunkBesideThem()
    {
        var step = StepBuilder.Build(0, [Decoding(0), Prompt(1, 40)], [], new StepLimits(Chunk, 1, 1));

        Assert.Equal([1, Chunk], step!.Wire.Select(segment => segment.Rows));
    }

    [Fact]
    public void Build_OthersDecodeInTwoBatches_GivesEachItsShareOfAChunk()
    {
        var limits = new StepLimits(Chunk, 2, 2);
        Sequence[] running = [Decoding(0), Decoding(1), Prompt(2, 40)];

        var first = StepBuilder.Build(0, running, [], limits)!;
        var second = StepBuilder.Build(1, running, [first], limits)!;

        Assert.Equal([1, Chunk / 2], first.Wire.Select(segment => segment.Rows));
        Assert.Equal([1, Chunk / 2], second.Wire.Select(segment => segment.Rows));
        Assert.Equal([0, Chunk / 2], new[] { first, second }.Select(step => step.Wire[1].Position));
        Assert.Null(StepBuilder.Build(2, running, [first, second], limits));
    }

    [Fact]
    public void Build_AChunkOfEachBatchIsUnderWay_AddsNoMoreWhileOthersDecode()
    {
        var limits = new StepLimits(Chunk, 1, 3);
        Sequence[] running = [Decoding(0), Prompt(1, 40)];
        var first = StepBuilder.Build(0, running, [], limits)!;

        Assert.Null(StepBuilder.Build(1, running, [first], limits));
    }

    private static Sequence Prompt(int slot, int tokens)
    {
        var request = new SequenceRequest([.. Enumerable.Range(1, tokens)], 8, FrozenSet<int>.Empty, SamplingSettings.Greedy, null);
        return new Sequence(request, 0) { Slot = slot };
    }

    private static Sequence Decoding(int slot)
    {
        var sequence = Prompt(slot, 4);
        (sequence.SentPrompt, sequence.Position, sequence.NextToken) = (4, 4, 7);
        return sequence;
    }
}
