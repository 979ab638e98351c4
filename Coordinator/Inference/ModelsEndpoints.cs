using System.Text.Json;

namespace ClusterLlm.Coordinator.Inference;

/// <summary><c>GET /v1/models</c> and <c>GET /v1/models/{id}</c>: the deployments, by the names that clients use.</summary>
internal sealed class ModelsEndpoints(IInferenceRoutes routes)
{
    public Task ListAsync(HttpContext context, CancellationToken cancellationToken) => WriteAsync(context, WriteList, cancellationToken);

    public Task GetAsync(HttpContext context, string id, CancellationToken cancellationToken)
    {
        if (routes.Find(id) is { } route)
        {
            return WriteAsync(context, json => Write(json, route), cancellationToken);
        }

        var names = routes.List().Select(known => known.Name).ToList();
        var error = RequestRouter.Refuse(id, null, names, default)!;
        return ErrorResponses.WriteAsync(context.Response, error, RequestIds.Of(context), cancellationToken);
    }

    private void WriteList(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        foreach (var route in routes.List().OrderBy(route => route.Name, StringComparer.Ordinal))
        {
            Write(json, route);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>OpenAI's model object, and what clients of a cluster want to know besides.</summary>
    private static void Write(Utf8JsonWriter json, InferenceRoute route)
    {
        json.WriteStartObject();
        json.WriteString("id", route.Name);
        json.WriteString("object", "model");
        json.WriteNumber("created", route.CreatedAt.ToUnixTimeSeconds());
        json.WriteString("owned_by", "clusterllm");
        json.WriteString("root", route.ModelId);
        json.WriteNumber("max_model_len", route.ContextTokens);
        json.WriteBoolean("ready", route.Ready);
        json.WriteString("state", route.Phase);
        json.WriteEndObject();
    }

    private static Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JsonText.Encoder }))
        {
            write(json);
        }

        return JsonResponses.WriteAsync(context.Response, buffer.ToArray(), cancellationToken);
    }
}
