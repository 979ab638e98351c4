using System.Diagnostics;
using ClusterLlm.NodeAgent.Telemetry;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>
/// Spans of one answer's phases: children of the request's span on this node, and with it part of the gateway's trace. The ranks' own processes tell nothing
/// to a collector, so their times are taken from the stream. Never holds text.
/// </summary>
/// <param name="parent">Of the request; without one nothing is recorded.</param>
internal sealed class AnswerTrace(ActivityContext parent, DateTimeOffset arrivedOn, int index)
{
    public const string Queue = "mlx queue";
    public const string Prefill = "mlx prefill";
    public const string Decode = "mlx decode";

    private static readonly ActivitySource Source = new(NodeMetrics.MeterName);

    /// <param name="queue">From the arrival to the admission.</param>
    /// <param name="prefill">From there to the first token; null when there was none.</param>
    /// <param name="decode">From there to the last one.</param>
    /// <param name="usage">Null when the answer was cut.</param>
    public void Record(TimeSpan queue, TimeSpan? prefill, TimeSpan decode, ServerUsage? usage)
    {
        if (parent == default)
        {
            return;
        }

        var admitted = arrivedOn + queue;
        Add(Queue, arrivedOn, admitted);
        if (prefill is { } until)
        {
            Add(Prefill, admitted, admitted + until, new("gen_ai.usage.input_tokens", usage?.PromptTokens), new("clusterllm.cached_tokens", usage?.CachedTokens));
            Add(Decode, admitted + until, admitted + until + decode, new KeyValuePair<string, object?>("gen_ai.usage.output_tokens", usage?.CompletionTokens));
        }
    }

    private void Add(string name, DateTimeOffset start, DateTimeOffset end, params KeyValuePair<string, object?>[] tags)
    {
        using var activity = Source.StartActivity(name, ActivityKind.Internal, parent, [new("clusterllm.choice", index), .. tags], links: null, start);
        activity?.SetEndTime(end.UtcDateTime);
    }
}
