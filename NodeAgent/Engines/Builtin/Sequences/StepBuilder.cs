using ClusterLlm.NodeAgent.Engines.Builtin.Model;
using ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

/// <summary>What a step may hold.</summary>
/// <param name="ChunkTokens">Most prompt tokens per step.</param>
/// <param name="MicroBatches">Most steps with decode rows under way at once.</param>
/// <param name="MaxStepsInFlight">Most steps of any kind under way at once.</param>
internal sealed record StepLimits(int ChunkTokens, int MicroBatches, int MaxStepsInFlight);

/// <summary>Puts the next step together: every sequence that is ready decodes one token, and a chunk of waiting prompts rides along.</summary>
internal static class StepBuilder
{
    /// <summary>The next step, or null when nothing is ready or enough is under way. Marks what it takes.</summary>
    /// <param name="running">Sequences with a slot, in the order of their admission.</param>
    public static PendingStep? Build(ulong stepId, IReadOnlyList<Sequence> running, IReadOnlyCollection<PendingStep> inFlight, StepLimits limits)
    {
        if (inFlight.Count >= limits.MaxStepsInFlight)
        {
            return null;
        }

        var step = new PendingStep(stepId, [], [], []);
        var decoding = running.Count(sequence => !sequence.IsPrefilling);
        if (inFlight.Count(pending => pending.HasDecodeRows) < limits.MicroBatches)
        {
            AddDecodeRows(step, running, (decoding + limits.MicroBatches - 1) / limits.MicroBatches);
        }

        // While others decode, the chunks under way together are one chunk: more of them would add up to a long wait for the next token. Each batch carries its
        // share of it, so that all stages have work of the prompt at the same time.
        if (decoding == 0)
        {
            AddPromptRows(step, running, limits.ChunkTokens);
        }
        else if (inFlight.Count(pending => pending.HasPrefillRows) < limits.MicroBatches)
        {
            AddPromptRows(step, running, (limits.ChunkTokens + limits.MicroBatches - 1) / limits.MicroBatches);
        }

        return step.Segments.Count == 0 ? null : step;
    }

    private static void AddDecodeRows(PendingStep step, IReadOnlyList<Sequence> running, int most)
    {
        foreach (var sequence in running)
        {
            if (most > 0 && sequence.NextToken is { } token)
            {
                step.Segments.Add(new PendingSegment(sequence, step.Tokens.Count, 0));
                step.Wire.Add(new SequenceSegment(sequence.Slot, sequence.Position, 1));
                step.Tokens.Add(token);
                step.HasDecodeRows = true;
                sequence.NextToken = null;
                sequence.Position++;
                most--;
            }
        }
    }

    private static void AddPromptRows(PendingStep step, IReadOnlyList<Sequence> running, int most)
    {
        foreach (var sequence in running)
        {
            var rows = Math.Min(most, sequence.Request.Prompt.Length - sequence.SentPrompt);
            if (rows <= 0)
            {
                continue;
            }

            if (sequence is { SentPrompt: 0, Request.TraceParent: { } parent })
            {
                (step.Traces ??= []).Add(new SequenceTrace(sequence.Slot, parent));
            }

            most -= rows;
            step.Wire.Add(new SequenceSegment(sequence.Slot, sequence.Position, rows));
            step.Tokens.AddRange(sequence.Request.Prompt.AsSpan(sequence.SentPrompt, rows));
            step.HasPrefillRows = true;
            sequence.SentPrompt += rows;
            sequence.Position += rows;
            step.Segments.Add(new PendingSegment(sequence, sequence.IsPrefilling ? -1 : step.Tokens.Count - 1, sequence.SentPrompt));
        }
    }
}
