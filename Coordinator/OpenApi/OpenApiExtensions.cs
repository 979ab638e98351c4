using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace ClusterLlm.Coordinator.OpenApi;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c>, and a page to browse it at <c>/docs</c>.</summary>
internal static class OpenApiExtensions
{
    public const string DocumentName = "v1";
    public const string PagePath = "/docs";

    public static IHostApplicationBuilder AddOpenApiPages(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOpenApi(DocumentName, options => options.AddDocumentTransformer(DescribeAsync));
        return builder;
    }

    /// <summary>Everything that the page loads comes from this process: it also works where there is no way to the internet.</summary>
    public static WebApplication MapOpenApiPages(this WebApplication app)
    {
        app.MapOpenApi();
        app.MapScalarApiReference(PagePath, options =>
        {
            options.Title = "ClusterLlm API";
            options.DefaultFonts = false;
            options.Telemetry = false;
            options.Agent = new ScalarAgentOptions { Disabled = true };
        });
        return app;
    }

    private static Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "ClusterLlm",
            Version = "v1",
            Description = "Runs large language models split over several machines. `/api` watches and steers the cluster (errors are problem details); "
                + "`/v1` is OpenAI's API for the models that run (errors have OpenAI's shape, `model` is the name of a deployment).",
        };
        // The address in the document is that of whoever generated it; relative is right for everybody.
        document.Servers = [new OpenApiServer { Url = "/" }];
        return Task.CompletedTask;
    }
}
