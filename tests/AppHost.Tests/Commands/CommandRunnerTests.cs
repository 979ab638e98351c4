using System.Net;
using ClusterLlm.AppHost.Commands;

namespace ClusterLlm.AppHost.Tests.Commands;

public sealed class CommandRunnerTests : IDisposable
{
    private const string Stages = """
        [{"node": "node-1", "rank": 1, "firstLayer": 0, "layerCount": 5, "weightBytes": 4000000, "kvCacheBytes": 1000000, "workspaceBytes": 500000},
         {"node": "node-2", "rank": 0, "firstLayer": 5, "layerCount": 3, "weightBytes": 3000000, "kvCacheBytes": 600000, "workspaceBytes": 500000}]
        """;

    private readonly FakeCluster _cluster = new();

    [Fact]
    public async Task Run_Launch_SendsTypedValuesAndShowsThePlan()
    {
        _cluster.Answer(
            "POST /api/deployments",
            $$$"""{"id": "d1", "name": "second", "model": "demo-3m", "state": "preparing", "plan": {"engine": "builtin", "contextTokens": 512, "concurrency": 2, "stages": {{{Stages}}}}}""",
            HttpStatusCode.Accepted);

        var outcome = await RunAsync(ClusterCommands.Launch, "", new()
        {
            ["model"] = "demo-3m",
            ["objective"] = "throughput",
            ["contextTokens"] = "512",
            ["concurrency"] = "2",
            ["nodes"] = "node-1, node-2",
            ["name"] = "second",
        });

        Assert.Equal(
            """POST /api/deployments {"model":"demo-3m","name":"second","objective":"throughput","contextTokens":512,"concurrency":2,"nodes":["node-1","node-2"]}""",
            Assert.Single(_cluster.Requests));
        Assert.Equal((true, "second is launched on node-1, node-2."), (outcome.Success, outcome.Message));
        Assert.Contains("| 2 | node-2 | 5–7 (3) | 3.0 MB | 600 kB | 4.1 MB |", outcome.Markdown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Compare_StartsItAndLinksToTheReport()
    {
        _cluster.Answer("POST /api/comparisons", """{"id": "cmp-1", "state": "queued", "report": "/api/comparisons/cmp-1/report"}""", HttpStatusCode.Accepted);

        var outcome = await RunAsync(ClusterCommands.Compare, "", new() { ["model"] = "demo-3m", ["nodes"] = "node-1, node-2", ["concurrency"] = "1, 4", ["smallerModel"] = "" });

        Assert.Equal("""POST /api/comparisons {"model":"demo-3m","nodes":["node-1","node-2"],"concurrency":[1,4]}""", Assert.Single(_cluster.Requests));
        Assert.Contains("(http://cluster.test/api/comparisons/cmp-1/report)", outcome.Markdown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CompareWithWorkloads_SendsThemAsNumbers()
    {
        _cluster.Answer("POST /api/comparisons", """{"id": "cmp-1", "state": "queued", "report": "/api/comparisons/cmp-1/report"}""", HttpStatusCode.Accepted);

        await RunAsync(ClusterCommands.Compare, "", new() { ["model"] = "demo-3m", ["workloads"] = "8+4, 64+8", ["rounds"] = "2", ["minutesLimit"] = "3" });

        Assert.Equal(
            """POST /api/comparisons {"model":"demo-3m","workloads":[{"promptTokens":8,"outputTokens":4},{"promptTokens":64,"outputTokens":8}],"rounds":2,"minutesLimit":3}""",
            Assert.Single(_cluster.Requests));
    }

    [Theory]
    [InlineData("8+4, many", "many")]
    [InlineData("8", "8")]
    [InlineData("8+-4", "8+-4")]
    public async Task Run_CompareWithWorkloadsThatAreNone_BlamesTheField(string workloads, string named)
    {
        var outcome = await RunAsync(ClusterCommands.Compare, "", new() { ["model"] = "demo-3m", ["workloads"] = workloads });

        Assert.Equal($"Workloads has \"{named}\"; give prompt+output tokens, for example 128+64.", outcome.FieldErrors["workloads"]);
        Assert.Empty(_cluster.Requests);
    }

    [Fact]
    public async Task Run_EmptyFields_LeavesThemToTheCluster()
    {
        _cluster.Answer("POST /api/plans", $$$"""{"modelId": "demo-3m", "plan": {"stages": {{{Stages}}}}}""");

        var outcome = await RunAsync(ClusterCommands.Plan, "", new() { ["model"] = "demo-3m", ["objective"] = "", ["contextTokens"] = " ", ["nodes"] = null });

        Assert.True(outcome.Success, outcome.Message);
        Assert.Equal("""POST /api/plans {"model":"demo-3m"}""", Assert.Single(_cluster.Requests));
    }

    [Fact]
    public async Task Run_AllNodes_NamesNoObjective()
    {
        _cluster.Answer("POST /api/plans", $$$"""{"modelId": "demo-3m", "plan": {"stages": {{{Stages}}}}}""");

        await RunAsync(ClusterCommands.Plan, "", new() { ["model"] = "demo-3m", ["objective"] = LaunchRequest.AllNodes, ["nodes"] = "node-1, node-2" });
        var unnamed = await RunAsync(ClusterCommands.Plan, "", new() { ["model"] = "demo-3m", ["objective"] = LaunchRequest.AllNodes });

        Assert.Equal("""POST /api/plans {"model":"demo-3m","nodes":["node-1","node-2"]}""", Assert.Single(_cluster.Requests));
        Assert.Equal(["nodes"], unnamed.FieldErrors.Keys);
    }

    [Fact]
    public async Task Run_BadValue_AsksNobody()
    {
        var outcome = await RunAsync(ClusterCommands.Launch, "", new() { ["model"] = "", ["concurrency"] = "many" });

        Assert.False(outcome.Success);
        Assert.Equal(["concurrency", "model"], outcome.FieldErrors.Keys);
        Assert.Empty(_cluster.Requests);
    }

    [Fact]
    public async Task Check_FieldTheClusterRefuses_IsToldAtItsArgument()
    {
        _cluster.Answer(
            "POST /api/plans",
            """{"title": "Bad", "detail": "No node 'node-9'.", "errors": {"nodes[0]": ["There is no node 'node-9'."], "engine": ["no"]}}""",
            HttpStatusCode.BadRequest);
        var runner = new CommandRunner(() => _cluster.Client, TimeProvider.System);

        var errors = await runner.CheckAsync(
            ClusterCommands.Find(ClusterCommands.Launch),
            new Dictionary<string, string?> { ["model"] = "demo-3m", ["nodes"] = "node-9" },
            TestContext.Current.CancellationToken);

        Assert.Equal(KeyValuePair.Create("nodes", "There is no node 'node-9'."), Assert.Single(errors));
    }

    [Fact]
    public async Task Run_NoPlan_ShowsTheReasonOfEachNode()
    {
        _cluster.Answer(
            "POST /api/plans",
            """{"detail": "Does not fit.", "rejections": [{"node": "node-1", "constraint": "memory", "message": "needs 9 GB, has 4 GB", "needed": 9, "available": 4}]}""",
            HttpStatusCode.UnprocessableEntity);

        var outcome = await RunAsync(ClusterCommands.Plan, "", new() { ["model"] = "big" });

        Assert.Equal((false, "Does not fit. needs 9 GB, has 4 GB"), (outcome.Success, outcome.Message));
        Assert.Contains("| node-1 | needs 9 GB, has 4 GB |", outcome.Markdown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ClusterCommands.Stop, "DELETE /api/deployments/d1", HttpStatusCode.Accepted, "The deployment stops.")]
    [InlineData(ClusterCommands.Forget, "DELETE /api/deployments/d1", HttpStatusCode.NoContent, "The deployment had stopped and is forgotten.")]
    [InlineData(ClusterCommands.Remove, "DELETE /api/nodes/d1", HttpStatusCode.NoContent, "d1 is no longer in the cluster.")]
    [InlineData(ClusterCommands.Drain, "POST /api/nodes/d1/drain", HttpStatusCode.OK, "d1 takes no new shards.")]
    [InlineData(ClusterCommands.Resume, "POST /api/nodes/d1/resume", HttpStatusCode.OK, "d1 takes shards again.")]
    [InlineData(ClusterCommands.Restart, "POST /api/deployments/d1/restart", HttpStatusCode.Accepted, "second starts anew on node-1, node-2.")]
    public async Task Run_OnTarget_AsksItsEndpoint(string command, string request, HttpStatusCode status, string message)
    {
        _cluster.Answer(request, $$$"""{"id": "d1", "name": "second", "state": "ready", "plan": {"stages": {{{Stages}}}}}""", status);

        var outcome = await RunAsync(command, "d1", []);

        Assert.Equal((true, message), (outcome.Success, outcome.Message));
        Assert.StartsWith(request, Assert.Single(_cluster.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_TestPrompt_ShowsAnswerAndSpeed()
    {
        _cluster
            .Answer("GET /api/deployments", """[{"id": "d1", "name": "demo", "state": "ready"}]""")
            .Answer(
                "POST /v1/chat/completions",
                """
                data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}

                data: {"choices":[{"index":0,"delta":{"content":"A *shard* "}}]}

                data: {"choices":[{"index":0,"delta":{"content":"is a part."}}]}

                data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}

                data: [DONE]


                """);

        var outcome = await RunAsync(ClusterCommands.TestPrompt, "d1", new() { ["prompt"] = "What is a shard?", ["maxTokens"] = "16" });

        Assert.Equal((true, "demo answered with 7 tokens."), (outcome.Success, outcome.Message));
        Assert.Contains(@"A \*shard\* is a part.", outcome.Markdown, StringComparison.Ordinal);
        Assert.Contains("| 7 | ", outcome.Markdown, StringComparison.Ordinal);
        Assert.Contains("\"max_tokens\":16", _cluster.Requests[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ModelIsNotReady_TellsWhatTheGatewaySays()
    {
        _cluster
            .Answer("GET /api/deployments", """[{"id": "d1", "name": "demo", "state": "loading"}]""")
            .Answer("POST /v1/chat/completions", """{"error": {"message": "demo is loading.", "type": "server_error"}}""", HttpStatusCode.ServiceUnavailable);

        var outcome = await RunAsync(ClusterCommands.TestPrompt, "d1", new() { ["prompt"] = "Hi" });

        Assert.Equal((false, "demo is loading."), (outcome.Success, outcome.Message));
    }

    [Fact]
    public async Task Run_CoordinatorIsAway_IsAnOutcome()
    {
        var gone = await RunAsync(ClusterCommands.Stop, "d1", []);
        var never = await new CommandRunner(() => null, TimeProvider.System).RunAsync(
            ClusterCommands.Find(ClusterCommands.Stop), "d1", new Dictionary<string, string?>(), TestContext.Current.CancellationToken);

        Assert.Equal("The Coordinator at http://cluster.test did not answer as it should: Nobody answers DELETE /api/deployments/d1.", gone.Message);
        Assert.Equal("The Coordinator does not answer now. Try again when it is healthy.", never.Message);
    }

    [Fact]
    public async Task Arguments_Launch_OfferTheClustersModelsAndNodes()
    {
        _cluster
            .Answer("GET /api/models", """{"models": [{"id": "demo-3m", "layers": 8, "bytes": 7900000, "maxContextTokens": 512}], "problems": []}""")
            .Answer("GET /api/deployments", """[{"id": "d1", "name": "demo", "model": "/samples/demo-3m"}, {"id": "d2", "name": "same", "model": "demo-3m"}]""")
            .Answer("GET /api/nodes", """[{"id": "node-2", "state": "ready"}, {"id": "node-1", "state": "ready"}]""");

        var arguments = await new CommandRunner(() => _cluster.Client, TimeProvider.System).ArgumentsAsync(
            ClusterCommands.Find(ClusterCommands.Launch), TestContext.Current.CancellationToken);

        Assert.Equal(
            [new CommandChoice("demo-3m", "demo-3m (8 layers, 7.9 MB)"), new CommandChoice("/samples/demo-3m", "/samples/demo-3m (as in demo)")],
            arguments[0].Choices);
        Assert.Equal("demo-3m", arguments[0].Default);
        Assert.Equal("node-1, node-2", arguments.First(argument => argument.Name == "nodes").Placeholder);
    }

    public void Dispose() => _cluster.Dispose();

    private Task<CommandOutcome> RunAsync(string command, string target, Dictionary<string, string?> values) =>
        new CommandRunner(() => _cluster.Client, TimeProvider.System).RunAsync(
            ClusterCommands.Find(command), target, values, TestContext.Current.CancellationToken);
}
