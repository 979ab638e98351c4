using Microsoft.OpenApi;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Describes bodies that a handler reads by itself.</summary>
internal static class BodyDescription
{
    /// <summary>A JSON body shaped like <typeparamref name="TRequest"/>.</summary>
    /// <remarks>Not <c>Accepts</c>, which would refuse other content types: <c>curl -d</c> sends its JSON as a form.</remarks>
    public static RouteHandlerBuilder DescribeBody<TRequest>(this RouteHandlerBuilder endpoint) => endpoint
        .AddOpenApiOperationTransformer(async (operation, context, cancellationToken) => operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/json"] = new() { Schema = await context.GetOrCreateSchemaAsync(typeof(TRequest), null, cancellationToken) },
            },
        });
}
