using System.Diagnostics;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>Spans of the OpenAI surface, after OpenTelemetry's GenAI conventions. Prompts and answers never stand in them.</summary>
internal static class InferenceTraces
{
    /// <summary><c>gen_ai.provider.name</c>: this cluster.</summary>
    public const string Provider = "clusterllm";

    private static readonly ActivitySource Source = new(InferenceMetrics.Name);

    public static Activity? Start(InferenceRequest request, AnswerIdentity identity, InferenceRoute route)
    {
        var operation = InferenceMetrics.Operation(request.Kind);
        var activity = Source.StartActivity($"{operation} {request.Model}", ActivityKind.Client);
        return activity?
            .SetTag("gen_ai.operation.name", operation)
            .SetTag("gen_ai.provider.name", Provider)
            .SetTag("gen_ai.request.model", request.Model)
            .SetTag("gen_ai.request.max_tokens", request.MaxTokens)
            .SetTag("gen_ai.response.id", identity.CompletionId)
            .SetTag("gen_ai.response.model", route.ModelId)
            .SetTag("clusterllm.deployment.id", route.DeploymentId)
            .SetTag("clusterllm.node.id", route.RankZeroNodeId)
            .SetTag("clusterllm.request.id", identity.RequestId);
    }

    public static void Finish(Activity? activity, GenerateFinished finished, TimeSpan firstToken) => activity?
        .SetTag("gen_ai.response.finish_reasons", new[] { finished.FinishReason })
        .SetTag("gen_ai.usage.input_tokens", (long)finished.PromptTokens)
        .SetTag("gen_ai.usage.output_tokens", (long)finished.CompletionTokens)
        .SetTag("gen_ai.usage.cache_read.input_tokens", (long)finished.CachedTokens)
        .SetTag("gen_ai.server.time_to_first_token", firstToken.TotalSeconds);

    public static void Fail(Activity? activity, string errorType, string message) => activity?
        .SetTag("error.type", errorType)
        .SetStatus(ActivityStatusCode.Error, message);
}
