using System.Diagnostics;
using ClusterLlm.NodeAgent.Engines;

namespace ClusterLlm.NodeAgent.Telemetry;

/// <summary>One generation's span and measurements; disposing it without an end counts it as cancelled.</summary>
internal sealed class GenerationRecording : IDisposable
{
    private readonly NodeMetrics _metrics;
    private readonly Activity? _activity;
    private readonly TagList _tags;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private string? _error = "cancelled";

    public GenerationRecording(NodeMetrics metrics, Activity? activity, TagList tags, TimeProvider time)
    {
        (_metrics, _activity, _tags, _time) = (metrics, activity, tags, time);
        _startedAt = time.GetTimestamp();
        metrics.RequestStarted(tags);
    }

    public void Observe(GenerationEvent happening)
    {
        if (happening is GenerationEvent.Finished finished)
        {
            Finish(finished);
        }
    }

    /// <param name="errorType">An HTTP status, or the exception's type: few values, for <c>error.type</c>.</param>
    public void Fail(string errorType) => _error = errorType;

    public void Dispose()
    {
        var tags = _tags;
        if (_error is not null)
        {
            tags.Add("error.type", _error);
            _activity?.SetTag("error.type", _error);
            _activity?.SetStatus(ActivityStatusCode.Error);
        }

        _metrics.RequestMeasured(_time.GetElapsedTime(_startedAt), tags);
        _metrics.RequestEnded(_tags);
        _activity?.Dispose();
    }

    private void Finish(GenerationEvent.Finished finished)
    {
        _error = null;
        _metrics.FirstToken(finished.TimeToFirstToken, _tags);
        _metrics.TokensUsed(finished.PromptTokens, finished.CompletionTokens, _tags);
        if (finished.CompletionTokens > 1)
        {
            _metrics.OutputTokens(finished.Decode / (finished.CompletionTokens - 1), _tags);
        }

        _activity?.SetTag("gen_ai.usage.input_tokens", finished.PromptTokens);
        _activity?.SetTag("gen_ai.usage.output_tokens", finished.CompletionTokens);
        _activity?.SetTag("gen_ai.response.finish_reasons", new[] { finished.FinishReason });
        _activity?.SetTag("gen_ai.server.time_to_first_token", finished.TimeToFirstToken.TotalSeconds);
    }
}
