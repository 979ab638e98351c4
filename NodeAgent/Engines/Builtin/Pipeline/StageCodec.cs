using ClusterLlm.NodeAgent.Engines.Builtin.Model;
using ClusterLlm.Protos.V1;
using Google.Protobuf;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>Between the stages' work and its messages. Activations are wrapped, not copied.</summary>
internal static class StageCodec
{
    public static StageFrame ToFrame(StageWork work) => work switch
    {
        StageWork.Step step => new StageFrame { Step = ToMessage(step) },
        StageWork.Release release => new StageFrame { Release = new StageRelease { Slots = { release.Slots.Select(slot => (uint)slot) } } },
        StageWork.Failure failure => new StageFrame { Failure = new StageFailure { Rank = (uint)failure.Rank, Message = failure.Message } },
        _ => throw new InvalidOperationException($"There is no message for {work.GetType().Name}."),
    };

    /// <summary>Null for frames that carry no work.</summary>
    public static StageWork? ToWork(StageFrame frame) => frame.FrameCase switch
    {
        StageFrame.FrameOneofCase.Step => ToWork(frame.Step),
        StageFrame.FrameOneofCase.Release => new StageWork.Release([.. frame.Release.Slots.Select(Clamp)]),
        StageFrame.FrameOneofCase.Failure => new StageWork.Failure(Clamp(frame.Failure.Rank), frame.Failure.Message),
        _ => null,
    };

    private static StageStep ToMessage(StageWork.Step step)
    {
        var message = new StageStep { StepId = step.StepId, Activations = UnsafeByteOperations.UnsafeWrap(step.Activations) };
        foreach (var segment in step.Segments)
        {
            message.Segments.Add(new StageSegment { Slot = (uint)segment.Slot, Position = (uint)segment.Position, Rows = (uint)segment.Rows });
        }

        foreach (var token in step.Tokens)
        {
            message.Tokens.Add((uint)token);
        }

        foreach (var trace in step.Traces)
        {
            message.Traces.Add(new StageTrace { Slot = (uint)trace.Slot, Parent = trace.Parent });
        }

        return message;
    }

    private static StageWork.Step ToWork(StageStep message)
    {
        var segments = new SequenceSegment[message.Segments.Count];
        for (var index = 0; index < segments.Length; index++)
        {
            var segment = message.Segments[index];
            segments[index] = new SequenceSegment(Clamp(segment.Slot), Clamp(segment.Position), Clamp(segment.Rows));
        }

        return new StageWork.Step(message.StepId, segments, [.. message.Tokens.Select(Clamp)], message.Activations.Memory)
        {
            Traces = [.. message.Traces.Select(trace => new SequenceTrace(Clamp(trace.Slot), trace.Parent))],
        };
    }

    /// <summary>A number too large for an index stays too large: the stage's own check refuses it with the right words.</summary>
    private static int Clamp(uint value) => (int)Math.Min(value, int.MaxValue);
}
