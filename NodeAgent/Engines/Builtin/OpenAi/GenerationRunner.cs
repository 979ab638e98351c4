using System.Diagnostics;
using System.Runtime.CompilerServices;
using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>Answers requests on rank 0: parses, queues, and turns tokens into chunks.</summary>
internal sealed class GenerationRunner(RequestParser parser, ModelTokenizer tokenizer, SequenceScheduler scheduler, TimeProvider time)
{
    public const string ActivitySourceName = "ClusterLlm.NodeAgent.Builtin";

    private static readonly ActivitySource Activities = new(ActivitySourceName);

    public async IAsyncEnumerable<GenerationEvent> GenerateAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var activity = Activities.StartActivity("generate");
        var plan = parser.Parse(request, unchecked((ulong)Random.Shared.NextInt64()));
        var (sequence, position) = scheduler.Submit(plan.Sequence with { TraceParent = (activity ?? Activity.Current)?.Id });
        var answer = new AnswerStream(plan, tokenizer);
        var timings = new Timings(time, sequence.ArrivedAt);
        try
        {
            yield return new GenerationEvent.Progress(position, 0, plan.Sequence.Prompt.Length);
            await foreach (var sequenceEvent in sequence.Events.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (var generationEvent in Translate(sequenceEvent, plan, answer, timings))
                {
                    yield return generationEvent;
                }

                if (answer.FinishReason is not null)
                {
                    break;
                }
            }

            yield return Finish(plan, answer, timings, activity);
        }
        finally
        {
            // Also when the client is gone or a stop string was found: whatever is still under way ends on all stages.
            scheduler.Cancel(sequence);
        }
    }

    private static IEnumerable<GenerationEvent> Translate(SequenceEvent sequenceEvent, GenerationPlan plan, AnswerStream answer, Timings timings)
    {
        switch (sequenceEvent)
        {
            case SequenceEvent.Admitted admitted:
                timings.Queue = admitted.Queue;
                return [new GenerationEvent.Progress(0, 0, plan.Sequence.Prompt.Length)];
            case SequenceEvent.Prefilled prefilled:
                return [new GenerationEvent.Progress(0, prefilled.Tokens, plan.Sequence.Prompt.Length)];
            case SequenceEvent.Token token:
                timings.Token(token.At);
                return answer.Append(token);
            default:
                return [];
        }
    }

    private static GenerationEvent.Finished Finish(GenerationPlan plan, AnswerStream answer, Timings timings, Activity? activity)
    {
        var finished = new GenerationEvent.Finished(
            answer.FinishReason ?? throw new GenerationException(500, "The sequence ended without a reason."),
            plan.Sequence.Prompt.Length,
            0,
            answer.CompletionTokens,
            timings.FirstToken,
            timings.Queue,
            timings.FirstToken - timings.Queue,
            timings.Decode);
        activity?.SetTag("gen_ai.operation.name", plan.Kind == RequestKind.ChatCompletion ? "chat" : "text_completion");
        activity?.SetTag("gen_ai.usage.input_tokens", finished.PromptTokens);
        activity?.SetTag("gen_ai.usage.output_tokens", finished.CompletionTokens);
        activity?.SetTag("gen_ai.response.finish_reasons", new[] { finished.FinishReason });
        activity?.SetTag("gen_ai.response.time_to_first_token", finished.TimeToFirstToken.TotalSeconds);
        return finished;
    }

    private sealed class Timings(TimeProvider time, long arrivedAt)
    {
        private long _firstAt;
        private long _lastAt;

        public TimeSpan Queue { get; set; }

        public TimeSpan FirstToken => _firstAt == 0 ? TimeSpan.Zero : time.GetElapsedTime(arrivedAt, _firstAt);

        public TimeSpan Decode => _firstAt == 0 ? TimeSpan.Zero : time.GetElapsedTime(_firstAt, _lastAt);

        public void Token(long at)
        {
            _firstAt = _firstAt == 0 ? at : _firstAt;
            _lastAt = at;
        }
    }
}
