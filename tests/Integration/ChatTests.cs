using System.ClientModel;
using System.Text;
using OpenAI;
using OpenAI.Chat;

namespace ClusterLlm.Integration;

/// <summary>The official client against the demo deployment, which is split over three processes.</summary>
public sealed class ChatTests(RunningCluster cluster)
{
    private static readonly ChatCompletionOptions Greedy = new() { Temperature = 0, MaxOutputTokenCount = DemoAnswer.Tokens };

    [Fact(Timeout = 60_000)]
    public async Task CompleteChat_Question_GivesTheGoldenAnswer()
    {
        var answer = (await Client().GetChatClient("demo")
            .CompleteChatAsync([new UserChatMessage(DemoAnswer.Question)], Greedy, TestContext.Current.CancellationToken)).Value;

        Assert.Equal(DemoAnswer.Text, answer.Content[0].Text);
        Assert.Equal(ChatFinishReason.Length, answer.FinishReason);
        Assert.Equal((16, DemoAnswer.Tokens), (answer.Usage.InputTokenCount, answer.Usage.OutputTokenCount));
    }

    [Fact(Timeout = 60_000)]
    public async Task CompleteChatStreaming_Question_GivesTheGoldenAnswerPieceByPiece()
    {
        var text = new StringBuilder();
        var pieces = 0;
        ChatTokenUsage? usage = null;
        var updates = Client().GetChatClient("demo")
            .CompleteChatStreamingAsync([new UserChatMessage(DemoAnswer.Question)], Greedy, TestContext.Current.CancellationToken);
        await foreach (var update in updates)
        {
            // The first chunk carries the role and an empty text.
            foreach (var part in update.ContentUpdate.Where(part => part.Text.Length > 0))
            {
                text.Append(part.Text);
                pieces++;
            }

            usage = update.Usage ?? usage;
        }

        Assert.Equal(DemoAnswer.Text, text.ToString());
        Assert.InRange(pieces, DemoAnswer.Tokens / 2, DemoAnswer.Tokens);
        Assert.Equal(DemoAnswer.Tokens, usage?.OutputTokenCount);
    }

    [Fact(Timeout = 60_000)]
    public async Task CompleteChat_ManyAtOnce_EachGetsItsOwnAnswer()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Client().GetChatClient("demo")
            .CompleteChatAsync([new UserChatMessage(DemoAnswer.Question)], Greedy, TestContext.Current.CancellationToken)));

        Assert.All(answers, answer => Assert.Equal(DemoAnswer.Text, answer.Value.Content[0].Text));
    }

    [Fact(Timeout = 60_000)]
    public async Task GetModels_Running_ListsTheDemo()
    {
        var models = (await Client().GetOpenAIModelClient().GetModelsAsync(TestContext.Current.CancellationToken)).Value;

        Assert.Contains(models, model => model.Id == "demo");
    }

    [Fact(Timeout = 60_000)]
    public async Task CompleteChat_UnknownModel_IsNotFound()
    {
        var failure = await Assert.ThrowsAsync<ClientResultException>(() => Client().GetChatClient("domo")
            .CompleteChatAsync([new UserChatMessage("hi")], Greedy, TestContext.Current.CancellationToken));

        Assert.Equal(404, failure.Status);
        Assert.Contains("domo", failure.Message);
    }

    private OpenAIClient Client() => new(
        new ApiKeyCredential("none"),
        new OpenAIClientOptions { Endpoint = new($"{cluster.Url}/v1"), RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0) });
}
