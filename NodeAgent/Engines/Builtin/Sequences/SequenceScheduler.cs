using ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;
using ClusterLlm.NodeAgent.Engines.Builtin.Sampling;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

/// <summary>
/// Continuous batching on rank 0: requests wait for a slot, prompts go through in chunks between decode steps, and sequences join and
/// leave the batch at every step.
/// </summary>
/// <param name="slots">Sequences that run together.</param>
/// <param name="post">Sends work to the first stage; called in order and must not wait: steps and releases under way are limited here.</param>
internal sealed class SequenceScheduler(int slots, StepLimits limits, Action<StageWork> post, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Sequence> _waiting = [];
    private readonly List<Sequence> _running = [];
    private readonly Stack<int> _freeSlots = new(Enumerable.Range(0, slots).Reverse());
    private readonly Queue<PendingStep> _inFlight = [];
    private float[] _scratch = [];
    private ulong _nextStep;
    private Exception? _failure;

    public int Running
    {
        get
        {
            lock (_gate)
            {
                return _running.Count;
            }
        }
    }

    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Queues a request.</summary>
    /// <returns>The sequence and how many wait before it.</returns>
    /// <exception cref="GenerationException">The shard has failed.</exception>
    public (Sequence Sequence, int QueuePosition) Submit(SequenceRequest request)
    {
        var sequence = new Sequence(request, time.GetTimestamp());
        lock (_gate)
        {
            if (_failure is not null)
            {
                throw Failed(_failure);
            }

            _waiting.AddLast(sequence);
            Advance();
            return (sequence, sequence.Slot >= 0 ? 0 : _waiting.Count);
        }
    }

    /// <summary>Ends a sequence wherever it is and frees its slot on all stages. Does nothing when it has ended.</summary>
    public void Cancel(Sequence sequence)
    {
        lock (_gate)
        {
            if (!sequence.HasEnded)
            {
                _waiting.Remove(sequence);
                End(sequence);
                Advance();
            }
        }
    }

    /// <summary>The step that must come back next.</summary>
    /// <exception cref="ShardException">Another one came.</exception>
    public PendingStep Expect(ulong stepId)
    {
        lock (_gate)
        {
            return _inFlight.TryPeek(out var pending) && pending.StepId == stepId
                ? pending
                : throw new ShardException($"Step {stepId} came back, but {pending?.StepId.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"} was expected: the stages disagree about the order of steps.");
        }
    }

    /// <summary>Takes a step's logits: picks tokens, ends sequences, and sends what is ready next.</summary>
    /// <param name="logits">The logits of the n-th row that <see cref="PendingStep.LogitRows"/> asked for.</param>
    public void Complete(PendingStep step, LogitSource logits)
    {
        var picked = Pick(step, logits);
        lock (_gate)
        {
            _inFlight.Dequeue();
            for (var index = 0; index < step.Segments.Count; index++)
            {
                Apply(step.Segments[index], picked[index]);
            }

            Advance();
        }
    }

    /// <summary>Ends everything with a failure; later requests fail the same way.</summary>
    public void Fail(Exception failure)
    {
        lock (_gate)
        {
            _failure ??= failure;
            foreach (var sequence in _waiting.Concat(_running))
            {
                sequence.HasEnded = true;
                sequence.Close(Failed(_failure));
            }

            _waiting.Clear();
            _running.Clear();
        }
    }

    private static GenerationException Failed(Exception failure) =>
        new(503, $"The deployment has failed: {failure.Message}", code: "deployment_failed", inner: failure);

    private Picked[] Pick(PendingStep step, LogitSource logits)
    {
        var picked = new Picked[step.Segments.Count];
        var row = 0;
        for (var index = 0; index < picked.Length; index++)
        {
            var segment = step.Segments[index];
            if (segment.LogitRow >= 0)
            {
                picked[index] = segment.Sequence.HasEnded ? default : PickOne(segment.Sequence, logits(row));
                row++;
            }
        }

        return picked;
    }

    private Picked PickOne(Sequence sequence, ReadOnlySpan<float> logits)
    {
        try
        {
            var token = sequence.Sampler.Sample(logits);
            if (sequence.Request.TopLogProbs is not { } top)
            {
                return new Picked(token, 0, [], null);
            }

            Array.Resize(ref _scratch, logits.Length);
            var sum = LogProbs.LogSumExp(logits, _scratch);
            return new Picked(token, (float)(logits[token] - sum), LogProbs.Top(logits, top, sum), null);
        }
        catch (GenerationException exception)
        {
            // One sequence that can't go on must not end the others.
            return new Picked(-1, 0, [], exception);
        }
    }

    private void Apply(PendingSegment segment, Picked picked)
    {
        var sequence = segment.Sequence;
        if (sequence.HasEnded)
        {
            return;
        }

        if (segment.PrefilledTokens > 0)
        {
            sequence.Tell(new SequenceEvent.Prefilled(segment.PrefilledTokens));
        }

        if (picked.Failure is not null)
        {
            End(sequence, picked.Failure);
        }
        else if (segment.LogitRow >= 0)
        {
            Continue(sequence, picked);
        }
    }

    private void Continue(Sequence sequence, Picked picked)
    {
        sequence.Generated++;
        var isEnd = sequence.Request.EndTokens.Contains(picked.Token);
        var reason = isEnd ? "stop" : sequence.Generated >= sequence.Request.MaxTokens ? "length" : null;
        sequence.Tell(new SequenceEvent.Token(picked.Token, picked.LogProb, picked.Top, reason, isEnd, time.GetTimestamp()));
        if (reason is null)
        {
            sequence.NextToken = picked.Token;
        }
        else
        {
            End(sequence);
        }
    }

    private void End(Sequence sequence, Exception? failure = null)
    {
        sequence.HasEnded = true;
        sequence.Close(failure);
        if (_running.Remove(sequence))
        {
            // The links keep the order: whoever gets the slot next sends its first step behind this.
            post(new StageWork.Release([sequence.Slot]));
            _freeSlots.Push(sequence.Slot);
        }
    }

    private void Advance()
    {
        while (_waiting.First is { } first && _freeSlots.TryPop(out var slot))
        {
            _waiting.RemoveFirst();
            first.Value.Slot = slot;
            first.Value.Tell(new SequenceEvent.Admitted(time.GetElapsedTime(first.Value.ArrivedAt)));
            _running.Add(first.Value);
        }

        while (_failure is null && StepBuilder.Build(_nextStep, _running, _inFlight, limits) is { } step)
        {
            _nextStep++;
            _inFlight.Enqueue(step);
            post(new StageWork.Step(step.StepId, [.. step.Wire], [.. step.Tokens], ReadOnlyMemory<byte>.Empty) { Traces = step.Traces?.ToArray() ?? [] });
        }
    }

    private readonly record struct Picked(int Token, float LogProb, TokenLogProb[] Top, GenerationException? Failure);
}

/// <summary>The logits of the n-th row that was asked for.</summary>
internal delegate ReadOnlySpan<float> LogitSource(int index);
