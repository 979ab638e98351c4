using System.Diagnostics;
using System.Diagnostics.Metrics;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hardware.Power;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Shards;

namespace ClusterLlm.NodeAgent.Telemetry;

/// <summary>
/// The agent's instruments. Names and units follow OpenTelemetry's semantic conventions for generative AI where they have one; the rest begins with
/// <c>clusterllm.</c>.
/// </summary>
internal sealed class NodeMetrics
{
    public const string MeterName = "ClusterLlm.NodeAgent";

    // The buckets that the conventions advise for these histograms (semantic-conventions, docs/gen-ai/gen-ai-metrics.md).
    private static readonly double[] DurationBuckets = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    private static readonly double[] FirstTokenBuckets =
        [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

    private static readonly double[] PerTokenBuckets = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];
    private static readonly long[] TokenBuckets =
        [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];

    private readonly MachineMonitor _machine;
    private readonly PowerMeter _power;
    private readonly ShardHost _shards;
    private readonly string _nodeId;
    private readonly Histogram<double> _requestDuration;
    private readonly Histogram<double> _timeToFirstToken;
    private readonly Histogram<double> _timePerOutputToken;
    private readonly Histogram<long> _tokenUsage;
    private readonly UpDownCounter<long> _activeRequests;

    public NodeMetrics(IMeterFactory meters, MachineMonitor machine, PowerMeter power, ShardHost shards, NodeIdentity identity)
    {
        (_machine, _power, _shards, _nodeId) = (machine, power, shards, identity.Id);
        var meter = meters.Create(MeterName);
        _requestDuration = Histogram<double>(meter, "gen_ai.server.request.duration", "s", "From the request's arrival to its last token.", DurationBuckets);
        _timeToFirstToken = Histogram<double>(meter, "gen_ai.server.time_to_first_token", "s", "From the request's arrival to its first token, queueing included.", FirstTokenBuckets);
        _timePerOutputToken = Histogram<double>(meter, "gen_ai.server.time_per_output_token", "s", "Time per token after the first one.", PerTokenBuckets);
        _tokenUsage = Histogram<long>(meter, "gen_ai.client.token.usage", "{token}", "Prompt and answer tokens of a request.", TokenBuckets);
        _activeRequests = meter.CreateUpDownCounter<long>("clusterllm.node.requests.active", "{request}", "Generations that this agent is serving.");
        AddGauges(meter);
    }

    public void RequestStarted(TagList tags) => _activeRequests.Add(1, tags);

    public void RequestEnded(TagList tags) => _activeRequests.Add(-1, tags);

    /// <param name="tags">With <c>error.type</c> when the request failed.</param>
    public void RequestMeasured(TimeSpan duration, TagList tags) => _requestDuration.Record(duration.TotalSeconds, tags);

    public void FirstToken(TimeSpan afterArrival, TagList tags) => _timeToFirstToken.Record(afterArrival.TotalSeconds, tags);

    public void OutputTokens(TimeSpan perToken, TagList tags) => _timePerOutputToken.Record(perToken.TotalSeconds, tags);

    public void TokensUsed(long input, long output, TagList tags)
    {
        _tokenUsage.Record(input, [.. tags, new("gen_ai.token.type", "input")]);
        _tokenUsage.Record(output, [.. tags, new("gen_ai.token.type", "output")]);
    }

    private static Histogram<T> Histogram<T>(Meter meter, string name, string unit, string description, T[] buckets)
        where T : struct => meter.CreateHistogram(name, unit, description, tags: null, new InstrumentAdvice<T> { HistogramBucketBoundaries = buckets });

    private void AddGauges(Meter meter)
    {
        MachineGauge(meter, "clusterllm.node.memory.total", "By", "Memory of the machine or its container.", sample => sample.Machine.MemoryTotalBytes);
        MachineGauge(meter, "clusterllm.node.memory.usable", "By", "What this agent's engines may use.", sample => sample.Usable.Bytes);
        MachineGauge(meter, "clusterllm.node.memory.used", "By", "In use on the machine.", sample => sample.Machine.MemoryUsedBytes);
        MachineGauge(meter, "clusterllm.node.cpu.utilization", "1", "Load of all cores, 0 to 1.", sample => sample.Machine.CpuLoad);
        MachineGauge(meter, "clusterllm.node.temperature", "Cel", "Hottest sensor.", sample => sample.Machine.TemperatureCelsius);
        MachineGauge(meter, "clusterllm.node.power", "W", "CPU, GPU and neural engine, over the last second.", _ => _power.Watts);
        ShardGauge(meter, "clusterllm.shard.memory", "By", "Weights, KV cache and buffers.", reading => reading.MemoryBytes);
        ShardGauge(meter, "clusterllm.shard.kv.used", "{token}", "KV cache positions in use.", reading => reading.KvTokensUsed);
        ShardGauge(meter, "clusterllm.shard.requests.running", "{request}", "Sequences that the shard works on.", reading => reading.RunningRequests);
        ShardGauge(meter, "clusterllm.shard.requests.queued", "{request}", "Requests that wait for a sequence's place.", reading => reading.QueuedRequests);
        ShardGauge(meter, "clusterllm.shard.decode.throughput", "{token}/s", "Decoded tokens, all requests together.", reading => reading.DecodeTokensPerSecond);
        ShardGauge(meter, "clusterllm.shard.prefill.throughput", "{token}/s", "Prefilled tokens, all requests together.", reading => reading.PrefillTokensPerSecond);
        ShardGauge(meter, "clusterllm.shard.step.duration", "s", "Median compute time of a decode step on this stage.", reading => reading.StageStep.TotalSeconds);
    }

    private void MachineGauge(Meter meter, string name, string unit, string description, Func<MachineSample, double?> value) =>
        meter.CreateObservableGauge(
            name,
            () => _machine.Last is { } sample && value(sample) is { } measured
                ? [new Measurement<double>(measured, new KeyValuePair<string, object?>("clusterllm.node.id", _nodeId))]
                : (IEnumerable<Measurement<double>>)[],
            unit,
            description);

    private void ShardGauge(Meter meter, string name, string unit, string description, Func<Engines.ShardReading, double> value) =>
        meter.CreateObservableGauge(
            name,
            () => _shards.Sample().Select(sample => new Measurement<double>(
                value(sample.Reading),
                new("clusterllm.node.id", _nodeId),
                new("clusterllm.deployment.id", sample.Spec.DeploymentId),
                new("clusterllm.rank", sample.Spec.Rank))),
            unit,
            description);
}
