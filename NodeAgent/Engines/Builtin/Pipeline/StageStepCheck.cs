using ClusterLlm.NodeAgent.Engines.Builtin.Model;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>Checks what another process sent before it is used as an index or a length.</summary>
internal static class StageStepCheck
{
    /// <exception cref="ShardException">Something is out of range; the message says what.</exception>
    public static void Check(ShardSpec spec, StageWork.Step step, KvCache cache, int maxRows, int hiddenSize, int vocabularySize)
    {
        long rows = 0;
        foreach (var segment in step.Segments)
        {
            CheckSegment(spec, step.StepId, segment, cache);
            rows += segment.Rows;
        }

        if (rows < 1 || rows > maxRows)
        {
            throw Wrong(spec, step.StepId, $"has {rows} rows; 1 to {maxRows} fit");
        }

        if (spec.IsFirstStage)
        {
            CheckTokens(spec, step, rows, vocabularySize);
        }
        else if (step.Activations.Length != rows * hiddenSize * sizeof(float))
        {
            throw Wrong(spec, step.StepId, $"has {step.Activations.Length} bytes of activations, but {rows} rows of {hiddenSize} floats were announced");
        }
    }

    public static void CheckSlot(ShardSpec spec, int slot)
    {
        if ((uint)slot >= (uint)spec.MaxConcurrency)
        {
            throw new ShardException($"Rank {spec.Rank}: slot {slot} was named, but there are {spec.MaxConcurrency} slots: the stages have different plans.");
        }
    }

    private static void CheckSegment(ShardSpec spec, ulong stepId, SequenceSegment segment, KvCache cache)
    {
        CheckSlot(spec, segment.Slot);
        if (segment.Rows < 1 || segment.Position < 0 || (long)segment.Position + segment.Rows > spec.ContextTokens)
        {
            throw Wrong(spec, stepId, $"has rows {segment.Position} + {segment.Rows} in slot {segment.Slot}, but the context has {spec.ContextTokens} tokens");
        }

        if (segment.Position > cache.Length(segment.Slot))
        {
            throw Wrong(spec, stepId, $"starts at position {segment.Position} of slot {segment.Slot}, which holds {cache.Length(segment.Slot)} tokens: a step is missing");
        }
    }

    private static void CheckTokens(ShardSpec spec, StageWork.Step step, long rows, int vocabularySize)
    {
        if (step.Tokens.Length != rows)
        {
            throw Wrong(spec, step.StepId, $"has {step.Tokens.Length} tokens for {rows} rows");
        }

        foreach (var token in step.Tokens)
        {
            if ((uint)token >= (uint)vocabularySize)
            {
                throw Wrong(spec, step.StepId, $"has the token {token}, but the vocabulary has {vocabularySize}");
            }
        }
    }

    private static ShardException Wrong(ShardSpec spec, ulong stepId, string what) =>
        new($"Rank {spec.Rank}: step {stepId} {what}. The stages of this deployment do not match: stop and start it again.");
}
