using System.Net;
using ClusterLlm.Coordinator.Tests.Fakes;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Tests.Models;

public sealed class ModelApiTests
{
    [Fact(Timeout = 120_000)]
    public async Task Models_OfAllNodes_WithHoldersAndProblems()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama(), FakeModel.Llama("other"));
        second.ModelProblems.Add(new ModelProblem { Path = "/models/broken", Message = "model.safetensors ends early" });
        await host.JoinAsync(cancelled, first, second);

        var list = await host.GetAsync("/api/models?refreshNow=true", cancelled);
        Assert.Equal(["other", "tiny"], list.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("id").GetString()));
        var tiny = list.GetProperty("models")[1];
        Assert.Equal((6, "LlamaForCausalLM", 2048), (tiny.GetProperty("layers").GetInt32(), tiny.GetProperty("architecture").GetString(), tiny.GetProperty("maxContextTokens").GetInt32()));
        Assert.Equal(2, tiny.GetProperty("nodes").GetArrayLength());
        Assert.Equal("/models/broken", list.GetProperty("problems")[0].GetProperty("path").GetString());

        using var broken = await host.PostAsync("/api/plans", new { model = "broken" }, cancelled);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, broken.StatusCode);
        Assert.Contains("ends early", await broken.Content.ReadAsStringAsync(cancelled), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Plan_NodeWithoutTheFiles_IsLeftOutAndSaid()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled);
        await host.JoinAsync(cancelled, first, second);

        using var answer = await host.PostAsync("/api/plans", new { model = "/models/tiny" }, cancelled);
        var text = await answer.Content.ReadAsStringAsync(cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var plan = System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(text).GetProperty("plan");
        Assert.Equal("node-1", Assert.Single(plan.GetProperty("stages").EnumerateArray()).GetProperty("node").GetString());
        var rejection = Assert.Single(plan.GetProperty("rejections").EnumerateArray());
        Assert.Equal("node-2", rejection.GetProperty("node").GetString());
        Assert.Contains("does not have the files", rejection.GetProperty("message").GetString(), StringComparison.Ordinal);
    }
}
