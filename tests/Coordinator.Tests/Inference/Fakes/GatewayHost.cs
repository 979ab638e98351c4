using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.OpenApi;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.Coordinator.Tests.Inference.Fakes;

/// <summary>The gateway alone on a real socket, with a fake agent behind it and one deployment called <c>demo</c>.</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    public static readonly InferenceRoute Demo = new(
        "d-1", "demo", true, "Ready", null, 1, "node-1", "demo-3m", 2048, 512, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));

    private readonly WebApplication _app;

    private GatewayHost(WebApplication app, FakeAgent agent, FakeCluster cluster)
    {
        (_app, Agent, Cluster) = (app, agent, cluster);
        // Without it a response that is dropped is read on for 2 s, in the hope that the connection can be kept.
        var handler = new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero };
        Client = new HttpClient(handler) { BaseAddress = new(app.Urls.Single()) };
    }

    public FakeAgent Agent { get; }

    public FakeCluster Cluster { get; }

    public HttpClient Client { get; }

    public Uri Address => Client.BaseAddress!;

    public IServiceProvider Services => _app.Services;

    public static async Task<GatewayHost> StartAsync(CancellationToken cancellationToken, params (string Key, string Value)[] settings)
    {
        var agent = await FakeAgent.StartAsync(cancellationToken);
        var cluster = new FakeCluster { Invoker = agent.Invoker, Routes = [Demo] };
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        builder.AddServiceDefaults();
        builder.Logging.ClearProviders();
        builder.AddInference();
        builder.AddOpenApiPages();
        builder.Services.AddSingleton<IInferenceRoutes>(cluster);
        builder.Services.AddSingleton<INodeChannels>(cluster);
        var app = builder.Build();
        app.MapInference();
        app.MapOpenApiPages();
        await app.StartAsync(cancellationToken);
        return new(app, agent, cluster);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    /// <summary>Posts <paramref name="json"/> and returns as soon as the head of the response is there.</summary>
    public async Task<HttpResponseMessage> PostAsync(string path, string json, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    public Task<HttpResponseMessage> ChatAsync(string members, CancellationToken cancellationToken) => PostAsync(
        "/v1/chat/completions", $$"""{"model":"demo","messages":[{"role":"user","content":"Say hello."}]{{members}}}""", cancellationToken);

    public static async Task<JsonNode> JsonAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!;

    /// <summary>The data of all events of a stream that has ended.</summary>
    public static async Task<IReadOnlyList<string>> EventsAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line[6..])];
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Agent.DisposeAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>Routes and channels that a test sets.</summary>
internal sealed class FakeCluster : IInferenceRoutes, INodeChannels
{
    public IReadOnlyList<InferenceRoute> Routes { get; set; } = [];

    public CallInvoker? Invoker { get; set; }

    public InferenceRoute? Find(string model) => Routes.FirstOrDefault(route => route.Name == model);

    public IReadOnlyList<InferenceRoute> List() => Routes;

    CallInvoker? INodeChannels.Find(string nodeId) => Invoker;
}
