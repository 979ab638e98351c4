using System.ClientModel;
using System.ClientModel.Primitives;
using ClusterLlm.Coordinator.Tests.Inference.Fakes;
using OpenAI;
using OpenAI.Chat;

namespace ClusterLlm.Coordinator.Tests.Inference;

/// <summary>OpenAI's own .NET client reads our answers and errors.</summary>
public sealed class OpenAiClientTests : IAsyncLifetime
{
    private GatewayHost _gateway = null!;

    private ChatClient Client => new("demo", new ApiKeyCredential("none"), new OpenAIClientOptions
    {
        Endpoint = new(_gateway.Address, "/v1"),
        RetryPolicy = new ClientRetryPolicy(0),
    });

    public async ValueTask InitializeAsync() => _gateway = await GatewayHost.StartAsync(CancellationToken.None);

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact(Timeout = 30_000)]
    public async Task CompleteChatAsync_ReadsTextUsageAndReason()
    {
        ChatCompletion answer = await Client.CompleteChatAsync([new UserChatMessage("Say hello.")], cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("Hello from demo.", answer.Content[0].Text);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal((12, 4, 5), (answer.Usage.InputTokenCount, answer.Usage.OutputTokenCount, answer.Usage.InputTokenDetails.CachedTokenCount));
    }

    [Fact(Timeout = 30_000)]
    public async Task CompleteChatStreamingAsync_ReadsPiecesAndUsage()
    {
        var text = "";
        var tokens = 0;
        await foreach (var update in Client.CompleteChatStreamingAsync([new UserChatMessage("Say hello.")], cancellationToken: TestContext.Current.CancellationToken))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            tokens = update.Usage?.TotalTokenCount ?? tokens;
        }

        Assert.Equal(("Hello from demo.", 16), (text, tokens));
    }

    [Fact(Timeout = 30_000)]
    public async Task CompleteChatAsync_UnknownModel_ShowsOurMessage()
    {
        var client = new ChatClient("missing", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new(_gateway.Address, "/v1"), RetryPolicy = new ClientRetryPolicy(0) });

        var failure = await Assert.ThrowsAsync<ClientResultException>(
            () => client.CompleteChatAsync([new UserChatMessage("x")], cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(404, failure.Status);
        Assert.Contains("Available: demo", failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task GetModelsAsync_ListsTheDeployments()
    {
        var client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new(_gateway.Address, "/v1") }).GetOpenAIModelClient();

        var models = await client.GetModelsAsync(TestContext.Current.CancellationToken);

        Assert.Equal("demo", Assert.Single(models.Value).Id);
    }
}
