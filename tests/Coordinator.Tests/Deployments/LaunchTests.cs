using System.Net;
using System.Text.Json;
using ClusterLlm.Coordinator.Tests.Fakes;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Tests.Deployments;

public sealed class LaunchTests
{
    private static readonly string[] ThreeNodes = ["node-1", "node-2", "node-3"];

    [Fact(Timeout = 120_000)]
    public async Task Post_ModelOnThreeNodes_BecomesReadyIsListedAndStops()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        await using var third = await FakeNode.StartAsync("node-3", cancelled, FakeModel.Llama());
        await host.JoinAsync(cancelled, first, second, third);

        using var answer = await host.PostAsync("/api/deployments", new { model = "tiny", name = "demo", nodes = ThreeNodes }, cancelled);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var accepted = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync(cancelled));
        var id = accepted.GetProperty("id").GetString()!;
        Assert.Equal($"/api/deployments/{id}", answer.Headers.Location?.OriginalString);

        var ready = await host.WaitForStateAsync(id, "ready", cancelled);
        var stages = ready.GetProperty("plan").GetProperty("stages").EnumerateArray().ToArray();
        Assert.Equal([2, 1, 0], stages.Select(stage => stage.GetProperty("rank").GetInt32()));
        Assert.Equal(6, stages.Sum(stage => stage.GetProperty("layerCount").GetInt32()));
        Assert.Equal(1, ready.GetProperty("progress").GetDouble());
        foreach (var node in new[] { first, second, third })
        {
            Assert.Equal("prepare", node.Shards.Calls[0].Split(' ')[0]);
            Assert.Single(node.Shards.Calls, call => call.StartsWith("start", StringComparison.Ordinal));
        }

        var listed = Assert.Single((await host.GetAsync("/api/deployments", cancelled)).EnumerateArray());
        Assert.Equal("demo", listed.GetProperty("name").GetString());
        Assert.Equal(id, (await host.GetAsync("/api/deployments/demo", cancelled)).GetProperty("id").GetString());

        using var http = host.CreateClient();
        using var stop = await http.DeleteAsync($"/api/deployments/{id}", cancelled);
        Assert.Equal(HttpStatusCode.Accepted, stop.StatusCode);
        await host.WaitForStateAsync(id, "stopped", cancelled);
        Assert.All([first, second, third], node => Assert.Empty(node.Shards.States));
        using var forget = await http.DeleteAsync($"/api/deployments/{id}", cancelled);
        Assert.Equal(HttpStatusCode.NoContent, forget.StatusCode);
        Assert.Empty((await host.GetAsync("/api/deployments", cancelled)).EnumerateArray());
    }

    [Fact(Timeout = 120_000)]
    public async Task Post_ManualLayers_AreStagesInTheOrderGiven()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        await host.JoinAsync(cancelled, first, second);

        var id = await host.DeployAsync(
            new { model = "tiny", layers = new Dictionary<string, int[]> { ["node-2"] = [0, 4], ["node-1"] = [4, 6] } }, cancelled);
        await host.WaitForStateAsync(id, "ready", cancelled);

        var start = await second.Shards.NextStartAsync(cancelled);
        Assert.Equal((1u, 2u, 0u, 4u), (start.Rank, start.WorldSize, start.FirstLayer, start.LayerCount));
        Assert.Equal([first.Url, second.Url], start.Ranks.Select(rank => rank.Url.TrimEnd('/')));
        var last = await first.Shards.NextStartAsync(cancelled);
        Assert.Equal((0u, 4u, 2u), (last.Rank, last.FirstLayer, last.LayerCount));
    }

    [Fact(Timeout = 120_000)]
    public async Task Launch_OneAgentRefuses_NothingIsStartedAndTheReasonNamesIt()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        second.Shards.Refusal = new ShardProblem { Constraint = "model", Message = "tensor model.layers.4.mlp is missing" };
        await host.JoinAsync(cancelled, first, second);

        var id = await host.DeployAsync(new { model = "tiny", nodes = new[] { "node-1", "node-2" } }, cancelled);
        var failed = await host.WaitForStateAsync(id, "failed", cancelled);

        Assert.Contains("Node node-2", failed.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Contains("model.layers.4.mlp", failed.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.All([first, second], node => Assert.DoesNotContain(node.Shards.Calls, call => call.StartsWith("start", StringComparison.Ordinal)));
    }

    [Fact(Timeout = 120_000)]
    public async Task Launch_ShardFailsAgainAndAgain_IsGivenUpAndUndone()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        second.Shards.LoadFailure = "the disk is full of holes";
        await host.JoinAsync(cancelled, first, second);

        var id = await host.DeployAsync(new { model = "tiny", nodes = new[] { "node-1", "node-2" } }, cancelled);
        var failed = await host.WaitForStateAsync(id, "failed", cancelled);

        Assert.Contains("the disk is full of holes", failed.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Contains("Given up after 3 attempts", failed.GetProperty("reason").GetString(), StringComparison.Ordinal);
        await host.WaitAsync($"/api/deployments/{id}/events", "shards to be gone", state =>
            state.GetProperty("plan").GetProperty("stages").EnumerateArray().All(stage => stage.GetProperty("state").GetString() == "none"), cancelled);
        Assert.All([first, second], node => Assert.Empty(node.Shards.States));
    }

    [Fact(Timeout = 120_000)]
    public async Task Loading_NodeDisappears_IsLaunchedOnTheRest()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        var third = await FakeNode.StartAsync("node-3", cancelled, FakeModel.Llama());
        third.Shards.HoldLoading = true;
        await host.JoinAsync(cancelled, first, second, third);

        var id = await host.DeployAsync(new { model = "tiny", nodes = ThreeNodes }, cancelled);
        await third.Shards.NextStartAsync(cancelled);
        await third.DisposeAsync();

        var ready = await host.WaitForStateAsync(id, "ready", cancelled);
        Assert.Equal(
            ["node-1", "node-2"],
            ready.GetProperty("plan").GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("node").GetString()).Order());
        Assert.Equal("node-3", Assert.Single(
            (await host.GetAsync("/api/nodes", cancelled)).EnumerateArray(), node => node.GetProperty("state").GetString() == "lost").GetProperty("id").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Ready_NodeLostAndNoRoomElsewhere_WaitsAndHealsWhenItComesBack()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        await host.JoinAsync(cancelled, first, second);
        var layers = new Dictionary<string, int[]> { ["node-1"] = [0, 3], ["node-2"] = [3, 6] };
        var id = await host.DeployAsync(new { model = "tiny", layers }, cancelled);
        await host.WaitForStateAsync(id, "ready", cancelled);

        await second.DisposeAsync();
        var degraded = await host.WaitForStateAsync(id, "degraded", cancelled);
        Assert.Contains("node-2 is lost", degraded.GetProperty("reason").GetString(), StringComparison.Ordinal);

        await using var back = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        await host.JoinAsync(cancelled, back);
        await host.WaitForStateAsync(id, "ready", cancelled);
        Assert.Single(back.Shards.States);
    }

    [Fact(Timeout = 120_000)]
    public async Task CoordinatorRestart_ShardsRun_AreAttachedAgainWithoutAStop()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var first = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        await using var second = await FakeNode.StartAsync("node-2", cancelled, FakeModel.Llama());
        string id, home;
        await using (var host = new CoordinatorHost())
        {
            home = host.Home;
            await host.JoinAsync(cancelled, first, second);
            id = await host.DeployAsync(new { model = "tiny", name = "demo", nodes = new[] { "node-1", "node-2" } }, cancelled);
            await host.WaitForStateAsync(id, "ready", cancelled);
        }

        await using var again = new CoordinatorHost { Home = home };
        await again.JoinAsync(cancelled, first, second);
        await again.WaitForStateAsync(id, "ready", cancelled);
        var found = await again.WaitAsync($"/api/deployments/{id}/events", "both shards to be seen", state =>
            state.GetProperty("plan").GetProperty("stages").EnumerateArray().All(stage => stage.GetProperty("state").GetString() == "ready"), cancelled);

        Assert.Equal(1, found.GetProperty("generation").GetInt32());
        Assert.All([first, second], node => Assert.Equal(["prepare 1", "start 1"], node.Shards.Calls));
    }

    [Fact(Timeout = 120_000)]
    public async Task Join_NodeWithShardOfUnknownDeployment_StopsIt()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var node = await FakeNode.StartAsync("node-1", cancelled, FakeModel.Llama());
        node.Shards.Plant(new ShardState { DeploymentId = "dep-unknown", Generation = 3, Phase = ShardPhase.Ready });

        await host.JoinAsync(cancelled, node);
        await node.Shards.StoppedAsync("dep-unknown").WaitAsync(TimeSpan.FromSeconds(30), cancelled);

        Assert.Empty(node.Shards.States);
    }
}
