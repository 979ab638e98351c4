using System.Diagnostics;
using System.Diagnostics.Metrics;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>
/// Measures of the OpenAI surface. Names, units and buckets follow OpenTelemetry's semantic conventions for generative AI
/// (opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics) where they have one.
/// </summary>
internal sealed class InferenceMetrics
{
    public const string Name = "ClusterLlm.Coordinator.Inference";

    private static readonly double[] DurationBuckets = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    private static readonly double[] FirstTokenBuckets = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    private static readonly double[] PerTokenBuckets = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
    private static readonly long[] TokenBuckets = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];

    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _perToken;
    private readonly Histogram<long> _tokens;
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _disconnects;

    public InferenceMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        _duration = meter.CreateHistogram("gen_ai.server.request.duration", "s", "From a request's arrival to the end of its answer.", null, Buckets(DurationBuckets));
        _firstToken = meter.CreateHistogram("gen_ai.server.time_to_first_token", "s", "From a request's arrival to its first chunk.", null, Buckets(FirstTokenBuckets));
        _perToken = meter.CreateHistogram("gen_ai.server.time_per_output_token", "s", "Time per token after the first one.", null, Buckets(PerTokenBuckets));
        _tokens = meter.CreateHistogram("gen_ai.client.token.usage", "{token}", "Tokens of a prompt or of an answer.", null, Buckets(TokenBuckets));
        _active = meter.CreateUpDownCounter<long>("clusterllm.gateway.active_requests", "{request}", "Requests that are being answered.");
        _disconnects = meter.CreateCounter<long>("clusterllm.gateway.client_disconnects", "{request}", "Requests whose client went away before the answer was complete.");
    }

    /// <summary>A request goes to an agent; disposing the result says that it is over.</summary>
    public ActiveRequest Begin(InferenceRequest request)
    {
        var active = new ActiveRequest(_active, Tags(request));
        return active;
    }

    public void FirstToken(InferenceRequest request, TimeSpan elapsed) => _firstToken.Record(elapsed.TotalSeconds, Tags(request));

    public void Completed(InferenceRequest request, GenerateFinished finished, TimeSpan elapsed, TimeSpan firstToken)
    {
        var tags = Tags(request);
        _duration.Record(elapsed.TotalSeconds, tags);
        if (finished.CompletionTokens > 1)
        {
            _perToken.Record((elapsed - firstToken).TotalSeconds / (finished.CompletionTokens - 1), tags);
        }

        _tokens.Record(finished.PromptTokens, With(tags, "gen_ai.token.type", "input"));
        _tokens.Record(finished.CompletionTokens, With(tags, "gen_ai.token.type", "output"));
    }

    /// <param name="errorType">OpenAI's code, or the HTTP status.</param>
    public void Failed(InferenceRequest request, string errorType, TimeSpan elapsed) =>
        _duration.Record(elapsed.TotalSeconds, With(Tags(request), "error.type", errorType));

    public void ClientDisconnected(InferenceRequest request, TimeSpan elapsed)
    {
        _disconnects.Add(1, Tags(request));
        Failed(request, "client_disconnected", elapsed);
    }

    /// <summary><c>gen_ai.operation.name</c> of a request kind.</summary>
    public static string Operation(RequestKind kind) => kind == RequestKind.ChatCompletion ? "chat" : "text_completion";

    private static TagList Tags(InferenceRequest request) => new()
    {
        { "gen_ai.operation.name", Operation(request.Kind) },
        { "gen_ai.provider.name", InferenceTraces.Provider },
        { "gen_ai.request.model", request.Model },
    };

    private static TagList With(TagList tags, string name, string value)
    {
        tags.Add(name, value);
        return tags;
    }

    private static InstrumentAdvice<T> Buckets<T>(T[] bounds)
        where T : struct => new() { HistogramBucketBoundaries = bounds };
}

/// <summary>Counts a request as active until it is disposed.</summary>
internal readonly struct ActiveRequest : IDisposable
{
    private readonly UpDownCounter<long> _counter;
    private readonly TagList _tags;

    public ActiveRequest(UpDownCounter<long> counter, TagList tags)
    {
        (_counter, _tags) = (counter, tags);
        counter.Add(1, tags);
    }

    public void Dispose() => _counter.Add(-1, _tags);
}
