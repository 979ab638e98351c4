using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace ClusterLlm.Coordinator.OpenApi;

/// <summary>Describes the endpoints under <c>/v1</c>, whose bodies no parameter of a handler shows.</summary>
internal static class OpenAiDescriptions
{
    private const string Json = "application/json";

    /// <summary>An endpoint that answers a request body with one object, or with a stream of chunks.</summary>
    /// <remarks>
    /// The request is described by a transformer and not by <c>Accepts</c>, which would also refuse other content types: <c>curl -d</c> sends its JSON
    /// as a form.
    /// </remarks>
    public static RouteHandlerBuilder DescribeGeneration<TRequest, TResponse>(this RouteHandlerBuilder endpoint, string summary) => endpoint
        .WithSummary(summary)
        .WithDescription("With `stream: true` the answer is a stream of server-sent events that ends with `data: [DONE]`; an error after the first event is "
            + "an event with the member `error`, and then there is no `[DONE]`.")
        .Produces<TResponse>(StatusCodes.Status200OK, Json, "text/event-stream")
        .DescribeErrors(
            StatusCodes.Status400BadRequest,
            StatusCodes.Status404NotFound,
            StatusCodes.Status413PayloadTooLarge,
            StatusCodes.Status429TooManyRequests,
            StatusCodes.Status503ServiceUnavailable)
        .AddOpenApiOperationTransformer(async (operation, context, cancellationToken) => operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [Json] = new() { Schema = await ReferenceAsync(typeof(TRequest), context, cancellationToken) },
            },
        });

    public static RouteHandlerBuilder DescribeErrors(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses)
        {
            endpoint.Produces<ErrorEnvelope>(status, Json);
        }

        return endpoint;
    }

    private static async Task<IOpenApiSchema> ReferenceAsync(Type type, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var schema = await context.GetOrCreateSchemaAsync(type, null, cancellationToken);
        if (context.Document is not { } document)
        {
            return schema;
        }

        document.AddComponent(type.Name, schema);
        return new OpenApiSchemaReference(type.Name, document);
    }
}
