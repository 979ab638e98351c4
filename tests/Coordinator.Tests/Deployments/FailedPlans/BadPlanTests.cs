using System.Net;
using System.Text.Json;
using ClusterLlm.Coordinator.Tests.Fakes;

namespace ClusterLlm.Coordinator.Tests.Deployments.FailedPlans;

/// <summary>The whole path with agents whose shards fail: the plan is marked, avoided, refused and tried again.</summary>
public sealed class BadPlanTests
{
    private static readonly Dictionary<string, int[]> Cut = new() { ["node-1"] = [0, 2], ["node-2"] = [2, 6] };

    [Fact(Timeout = 120_000)]
    public async Task ManualPlan_FailsThreeTimes_IsRefusedAlsoAfterARestartUntilItIsTriedAgainAndRuns()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        second.Shards.LoadFailure = "the disk is full of holes";
        string id, home;
        await using (var host = new CoordinatorHost())
        {
            home = host.Home;
            await host.JoinAsync(cancelled, first, second);
            id = await host.DeployAsync(new { model = "tiny", name = "demo", layers = Cut }, cancelled);
            var failed = await host.WaitForStateAsync(id, "failed", cancelled);
            Assert.Contains("Given up after 3 attempts", failed.GetProperty("reason").GetString(), StringComparison.Ordinal);
            var marked = failed.GetProperty("plan").GetProperty("failed");
            Assert.Equal((3, true), (marked.GetProperty("launches").GetInt32(), marked.GetProperty("bad").GetBoolean()));
            Assert.Equal("Node node-2, rank 0: the disk is full of holes", marked.GetProperty("reason").GetString());
        }

        await using var again = new CoordinatorHost { Home = home };
        await again.JoinAsync(cancelled, first, second);
        var refusal = await RefusedAsync(again, new { model = "tiny", name = "other", layers = Cut }, cancelled);
        Assert.Contains("node-1 layers 0-1, node-2 layers 2-5 with builtin has failed 3 launches in a row", refusal, StringComparison.Ordinal);
        Assert.Contains("Node node-2, rank 0: the disk is full of holes", refusal, StringComparison.Ordinal);
        Assert.Contains($"/api/deployments/{id}/restart", refusal, StringComparison.Ordinal);
        Assert.Equal(3, second.Shards.Calls.Count(call => call.StartsWith("start", StringComparison.Ordinal)));

        second.Shards.LoadFailure = null;
        using var restart = await again.PostAsync($"/api/deployments/{id}/restart", new { }, cancelled);
        Assert.Equal(HttpStatusCode.Accepted, restart.StatusCode);
        var ready = await again.WaitForStateAsync(id, "ready", cancelled);
        Assert.Equal(JsonValueKind.Null, ready.GetProperty("plan").GetProperty("failed").ValueKind);
        await again.DeployAsync(new { model = "tiny", name = "other", layers = Cut }, cancelled);
    }

    [Fact(Timeout = 120_000)]
    public async Task ManualPlan_IsBad_IsTriedAgainWithTheFieldAndWithAnotherEngineVersion()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        second.Shards.LoadFailure = "the disk is full of holes";
        await host.JoinAsync(cancelled, first, second);
        var id = await host.DeployAsync(new { model = "tiny", name = "one", layers = Cut }, cancelled);
        await host.WaitForStateAsync(id, "failed", cancelled);

        var retried = await host.DeployAsync(new { model = "tiny", name = "two", layers = Cut, retryBadPlan = true }, cancelled);
        await host.WaitForStateAsync(retried, "failed", cancelled);
        Assert.Equal(6, second.Shards.Calls.Count(call => call.StartsWith("start", StringComparison.Ordinal)));
        await RefusedAsync(host, new { model = "tiny", name = "three", layers = Cut }, cancelled);

        second.EngineVersion = "1";
        await host.JoinAsync(cancelled, second);
        await host.DeployAsync(new { model = "tiny", name = "three", layers = Cut }, cancelled);
    }

    [Fact(Timeout = 120_000)]
    public async Task AutomaticPlan_FailsThreeTimes_TheNextBestIsTakenAndSaysWhy()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        second.Shards.LoadFailure = "the disk is full of holes";
        await host.JoinAsync(cancelled, first, second);

        var id = await host.DeployAsync(new { model = "tiny", objective = "balanced" }, cancelled);
        var ready = await host.WaitForStateAsync(id, "ready", cancelled);

        var plan = ready.GetProperty("plan");
        Assert.Equal("node-1", Assert.Single(plan.GetProperty("stages").EnumerateArray()).GetProperty("node").GetString());
        var rejections = plan.GetProperty("rejections").EnumerateArray().Where(each => each.GetProperty("constraint").GetString() == "failed-plan").ToArray();
        Assert.Contains(rejections, each => each.GetProperty("message").GetString()!.Contains("Node node-2, rank 0: the disk is full of holes", StringComparison.Ordinal));

        // Also a new question for a plan knows of it.
        using var answer = await host.PostAsync("/api/plans", new { model = "tiny", objective = "balanced" }, cancelled);
        var planned = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync(cancelled));
        Assert.Equal("node-1", Assert.Single(planned.GetProperty("plan").GetProperty("stages").EnumerateArray()).GetProperty("node").GetString());
    }

    private static async Task<string> RefusedAsync(CoordinatorHost host, object body, CancellationToken cancelled)
    {
        using var answer = await host.PostAsync("/api/deployments", body, cancelled);
        var text = await answer.Content.ReadAsStringAsync(cancelled);
        Assert.True(answer.StatusCode == HttpStatusCode.UnprocessableEntity, $"{answer.StatusCode}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text).GetProperty("detail").GetString()!;
    }
}
