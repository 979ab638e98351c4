using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using ClusterLlm.NodeAgent.Engines.Builtin.Model;
using ClusterLlm.NodeAgent.Engines.Builtin.Sequences;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>The thread of a stage: takes work in order, runs the layers, and hands the result on. Only this thread touches decoder and cache.</summary>
internal sealed class StageRunner : IDisposable
{
    private readonly ShardSpec _spec;
    private readonly int _hiddenSize;
    private readonly int _vocabularySize;
    private readonly StageDecoder _decoder;
    private readonly KvCache _cache;
    private readonly WorkQueue<StageWork> _inbox;
    private readonly Action<StageWork> _forward;
    private readonly SequenceScheduler? _scheduler;
    private readonly StageMeter _meter;
    private readonly ArtificialLimits _artificial;
    private readonly StageTraces _traces;
    private readonly Action<Exception> _failed;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Thread _thread;
    private TimeSpan _owed;

    /// <param name="forward">Hands work to the next stage; may wait. Not called on rank 0.</param>
    /// <param name="scheduler">On rank 0: takes the logits.</param>
    /// <param name="failed">Told once when the stage can't go on.</param>
    public StageRunner(
        ShardSpec spec, StageParts parts, WorkQueue<StageWork> inbox, Action<StageWork> forward, SequenceScheduler? scheduler, Action<Exception> failed)
    {
        _spec = spec;
        (_decoder, _cache, _meter) = (parts.Decoder, parts.Cache, parts.Meter);
        (_hiddenSize, _vocabularySize) = (parts.HiddenSize, parts.VocabularySize);
        _artificial = parts.Artificial;
        _traces = new StageTraces(spec);
        _inbox = inbox;
        _forward = forward;
        _scheduler = scheduler;
        _failed = failed;
        _thread = new Thread(Run) { IsBackground = true, Name = $"builtin-stage-{spec.Rank}" };
    }

    public CancellationToken Stopping => _stopping.Token;

    public void Start() => _thread.Start();

    /// <summary>Ends the thread after the step that it is in.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        if (_thread.ThreadState.HasFlag(System.Threading.ThreadState.Unstarted) is false && _thread != Thread.CurrentThread)
        {
            _thread.Join();
        }

        _traces.Dispose();
        _stopping.Dispose();
    }

    private void Run()
    {
        var cancellationToken = _stopping.Token;
        try
        {
            while (true)
            {
                Process(_inbox.Dequeue(cancellationToken));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped on purpose.
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            _failed(exception);
        }
    }

    private void Process(StageWork work)
    {
        switch (work)
        {
            case StageWork.Step step:
                RunStep(step);
                break;
            case StageWork.Release release:
                Release(release);
                break;
        }
    }

    private void Release(StageWork.Release release)
    {
        foreach (var slot in release.Slots)
        {
            StageStepCheck.CheckSlot(_spec, slot);
            _cache.Release(slot);
            _traces.End(slot);
        }

        _meter.SequencesChanged(_cache.ActiveSlots, _cache.TokensUsed);
        if (!_spec.IsLastStage)
        {
            _forward(release);
        }
    }

    private void RunStep(StageWork.Step step)
    {
        StageStepCheck.Check(_spec, step, _cache, _decoder.MaxRows, _hiddenSize, _vocabularySize);
        var pending = _scheduler?.Expect(step.StepId);
        _traces.Begin(step);
        var start = Stopwatch.GetTimestamp();
        if (_spec.IsFirstStage)
        {
            _decoder.Embed(step.Tokens);
        }
        else
        {
            _decoder.Receive(MemoryMarshal.Cast<byte, float>(step.Activations.Span));
        }

        step.ReturnBuffer();
        _decoder.Forward(step.Segments, pending is null ? [] : pending.LogitRows);
        var compute = Stopwatch.GetElapsedTime(start);
        SlowDown(step.Rows);
        _meter.StepDone(step.Rows, step.Segments.All(segment => segment.Rows == 1), Stopwatch.GetElapsedTime(start));
        _traces.StepDone(step.Segments, compute);
        _meter.SequencesChanged(_cache.ActiveSlots, _cache.TokensUsed);
        if (pending is not null)
        {
            _scheduler!.Complete(pending, _decoder.Logits);
        }
        else
        {
            _forward(Output(step));
        }
    }

    /// <summary>Waits are as coarse as the system's timer: what one took too long, the next ones are shorter.</summary>
    private void SlowDown(int rows)
    {
        if (!_artificial.Any)
        {
            return;
        }

        _owed += _artificial.OfStep(_spec.LayerCount, rows);
        if (_owed >= TimeSpan.FromMilliseconds(1))
        {
            var start = Stopwatch.GetTimestamp();
            _stopping.Token.WaitHandle.WaitOne(_owed);
            _owed -= Stopwatch.GetElapsedTime(start);
        }
    }

    private StageWork.Step Output(StageWork.Step step)
    {
        var rows = step.Rows;
        var rowBytes = _hiddenSize * sizeof(float);
        var buffer = ArrayPool<byte>.Shared.Rent(rows * rowBytes);
        for (var row = 0; row < rows; row++)
        {
            MemoryMarshal.AsBytes(_decoder.HiddenRow(row)).CopyTo(buffer.AsSpan(row * rowBytes));
        }

        return new StageWork.Step(step.StepId, step.Segments, [], buffer.AsMemory(0, rows * rowBytes), buffer) { Traces = step.Traces };
    }
}

/// <summary>What a stage computes with.</summary>
internal sealed record StageParts(StageDecoder Decoder, KvCache Cache, StageMeter Meter, int HiddenSize, int VocabularySize, ArtificialLimits Artificial);
