using ClusterLlm.Coordinator.OpenApi;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>Registers and maps the OpenAI surface. Needs <see cref="IInferenceRoutes"/> and <see cref="Nodes.INodeChannels"/> from elsewhere.</summary>
internal static class InferenceExtensions
{
    private const string CorsPolicyName = "OpenAI";

    public static IHostApplicationBuilder AddInference(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<InferenceOptions>().BindConfiguration(InferenceOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<InferenceOptions>, InferenceOptionsValidator>();
        builder.Services.AddSingleton<InferenceMetrics>();
        builder.Services.AddSingleton<GenerationRelay>();
        builder.Services.AddSingleton<InferenceEndpoints>();
        builder.Services.AddSingleton<ModelsEndpoints>();
        builder.Services.AddCors();
        builder.Services.AddOptions<CorsOptions>().Configure<IOptions<InferenceOptions>>((cors, inference) =>
            cors.AddPolicy(CorsPolicyName, policy => OpenAiSurface.Configure(policy, inference.Value)));
        return builder;
    }

    /// <summary>Maps <c>/v1</c>. An unknown path or method under it is a 404 in OpenAI's shape, as the clients expect it.</summary>
    public static WebApplication MapInference(this WebApplication app)
    {
        app.UseWhen(
            context => context.Request.Path.StartsWithSegments(OpenAiSurface.Prefix),
            surface => surface.UseMiddleware<OpenAiSurface>().UseCors(CorsPolicyName));

        var completions = app.Services.GetRequiredService<InferenceEndpoints>();
        var models = app.Services.GetRequiredService<ModelsEndpoints>();
        string[] read = [HttpMethods.Get, HttpMethods.Head];
        var group = app.MapGroup(OpenAiSurface.Prefix).WithTags("OpenAI");
        group.MapPost("/chat/completions", completions.ChatAsync).WithName("CreateChatCompletion")
            .DescribeGeneration<ChatCompletionRequest, ChatCompletion>("Answers a chat.");
        group.MapPost("/completions", completions.CompleteAsync).WithName("CreateCompletion")
            .DescribeGeneration<CompletionRequest, Completion>("Goes on with a text.");
        group.MapMethods("/models", read, models.ListAsync).WithName("ListModels").WithSummary("Lists the deployments that answer.")
            .Produces<ModelList>();
        group.MapMethods("/models/{**id}", read, models.GetAsync).WithName("GetModel").WithSummary("One deployment, by its name.")
            .Produces<ModelEntry>().DescribeErrors(StatusCodes.Status404NotFound);
        group.MapFallback("/{**path}", OpenAiSurface.UnknownAsync).ExcludeFromDescription();
        return app;
    }
}
