using System.Diagnostics.Metrics;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>The instruments of all stages of this process.</summary>
internal sealed class BuiltinMetrics : IDisposable
{
    public const string MeterName = "ClusterLlm.NodeAgent.Builtin";

    private readonly Meter _meter;
    private readonly Counter<long> _steps;
    private readonly Counter<long> _rows;
    private readonly UpDownCounter<long> _sequences;
    private readonly Histogram<double> _duration;

    public BuiltinMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _steps = _meter.CreateCounter<long>("clusterllm.builtin.steps", "{step}", "Forward passes of a stage.");
        _rows = _meter.CreateCounter<long>("clusterllm.builtin.rows", "{token}", "Tokens that went through a stage.");
        _sequences = _meter.CreateUpDownCounter<long>("clusterllm.builtin.sequences", "{sequence}", "Sequences that a stage holds in its KV cache.");
        _duration = _meter.CreateHistogram<double>("clusterllm.builtin.step.duration", "s", "Compute time of a stage for one step.");
    }

    /// <summary>The readings of one stage.</summary>
    public StageMeter ForStage(ShardSpec spec, TimeProvider time) => new(this, spec, time);

    public void Dispose() => _meter.Dispose();

    internal void StepDone(KeyValuePair<string, object?>[] tags, int rows, TimeSpan duration)
    {
        _steps.Add(1, tags);
        _rows.Add(rows, tags);
        _duration.Record(duration.TotalSeconds, tags);
    }

    internal void SequencesChanged(KeyValuePair<string, object?>[] tags, int change) => _sequences.Add(change, tags);
}

/// <summary>What one stage tells of its work: to the metrics, and to the readings that the agent sends to the Coordinator.</summary>
internal sealed class StageMeter
{
    private const int KeptSteps = 64;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly BuiltinMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly KeyValuePair<string, object?>[] _tags;
    private readonly Lock _gate = new();
    private readonly Queue<(long At, TimeSpan Duration)> _decodeSteps = new();
    private readonly TokenRate _decoded;
    private readonly TokenRate _prefilled;
    private int _activeSequences;
    private long _kvTokens;

    public StageMeter(BuiltinMetrics metrics, ShardSpec spec, TimeProvider time)
    {
        _metrics = metrics;
        _time = time;
        _decoded = new TokenRate(time);
        _prefilled = new TokenRate(time);
        _tags = [new("clusterllm.deployment.id", spec.DeploymentId), new("clusterllm.shard.rank", spec.Rank)];
    }

    public int ActiveSequences => Volatile.Read(ref _activeSequences);

    public long KvTokensUsed => Volatile.Read(ref _kvTokens);

    public double DecodeTokensPerSecond => _decoded.PerSecond;

    public double PrefillTokensPerSecond => _prefilled.PerSecond;

    /// <summary>Median of the decode steps of the last 10 s; zero when there was none.</summary>
    public TimeSpan MedianDecodeStep
    {
        get
        {
            lock (_gate)
            {
                TimeSpan[] recent = [.. _decodeSteps.Where(step => _time.GetElapsedTime(step.At) <= Window).Select(step => step.Duration).Order()];
                return recent.Length == 0 ? TimeSpan.Zero : recent[recent.Length / 2];
            }
        }
    }

    /// <param name="isDecode">Every sequence added one token.</param>
    public void StepDone(int rows, bool isDecode, TimeSpan duration)
    {
        _metrics.StepDone(_tags, rows, duration);
        (isDecode ? _decoded : _prefilled).Add(rows);
        if (isDecode)
        {
            lock (_gate)
            {
                _decodeSteps.Enqueue((_time.GetTimestamp(), duration));
                while (_decodeSteps.Count > KeptSteps)
                {
                    _decodeSteps.Dequeue();
                }
            }
        }
    }

    public void SequencesChanged(int active, long kvTokens)
    {
        Volatile.Write(ref _kvTokens, kvTokens);
        var before = Interlocked.Exchange(ref _activeSequences, active);
        if (active != before)
        {
            _metrics.SequencesChanged(_tags, active - before);
        }
    }
}
