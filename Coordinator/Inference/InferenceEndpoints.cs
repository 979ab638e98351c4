using System.Text.Json;
using ClusterLlm.Protos.V1;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Inference;

/// <summary><c>POST /v1/chat/completions</c> and <c>POST /v1/completions</c>.</summary>
internal sealed class InferenceEndpoints(
    IInferenceRoutes routes,
    GenerationRelay relay,
    IOptions<InferenceOptions> options,
    TimeProvider time)
{
    public Task ChatAsync(HttpContext context, CancellationToken cancellationToken) =>
        AnswerAsync(context, RequestKind.ChatCompletion, cancellationToken);

    public Task CompleteAsync(HttpContext context, CancellationToken cancellationToken) =>
        AnswerAsync(context, RequestKind.Completion, cancellationToken);

    private async Task AnswerAsync(HttpContext context, RequestKind kind, CancellationToken cancellationToken)
    {
        var requestId = RequestIds.Of(context);
        var body = await RequestBody.ReadAsync(context, options.Value.MaxBodyBytes, cancellationToken);
        var error = body.Error;
        var request = error is null ? Understand(body.Bytes, kind, out error) : null;
        var route = request is null ? null : routes.Find(request.Model);
        if (request is not null)
        {
            error = RequestRouter.Refuse(request.Model, route, [.. routes.List().Select(known => known.Name)], time.GetUtcNow());
        }

        if (error is not null)
        {
            await ErrorResponses.WriteAsync(context.Response, error, requestId, cancellationToken);
            return;
        }

        var generation = new Generation(request!, Identify(requestId, request!), route!);
        IAnswer answer = request!.Stream
            ? new StreamedAnswer(context.Response, generation.Identity, request.IncludeUsage)
            : new CollectedAnswer(context.Response, generation.Identity);
        await relay.RunAsync(generation, body.Bytes, answer, cancellationToken);
    }

    /// <summary>Parses once and only to check: the body itself travels on as it came.</summary>
    private InferenceRequest? Understand(ReadOnlyMemory<byte> body, RequestKind kind, out ApiError? error)
    {
        using var json = RequestBody.Parse(body, out error);
        if (json is null)
        {
            return null;
        }

        error = RequestValidator.Check(json.RootElement, kind, VocabularyOf(json.RootElement));
        return error is null ? RequestValidator.Read(json.RootElement, kind) : null;
    }

    private int VocabularyOf(JsonElement body)
    {
        var model = body.ValueKind == JsonValueKind.Object && body.TryGetProperty("model", out var name) ? JsonText.TextOrNull(name) : null;
        return model is null ? 0 : routes.Find(model)?.VocabularySize ?? 0;
    }

    private AnswerIdentity Identify(string requestId, InferenceRequest request)
    {
        var prefix = request.Kind == RequestKind.ChatCompletion ? "chatcmpl-" : "cmpl-";
        return new(requestId, prefix + Guid.NewGuid().ToString("N"), time.GetUtcNow().ToUnixTimeSeconds(), request.Model, request.Kind);
    }
}
