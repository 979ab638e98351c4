using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ClusterLlm.Coordinator.Tests.Fakes;
using ClusterLlm.Coordinator.Tests.Inference.Fakes;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

/// <summary>Whole comparisons over the API, with agents whose answers a test writes down.</summary>
public sealed class ComparisonApiTests
{
    private const string Quick = """{"model":"tiny","workloads":[{"promptTokens":8,"outputTokens":4}],"concurrency":[1,2],"rounds":2,"mostRounds":2}""";

    [Fact(Timeout = 120_000)]
    public async Task Compare_TwoNodes_MeasuresEveryCandidateAndReports()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var one = await NodeAsync("node-1", token);
        await using var two = await NodeAsync("node-2", token);
        await host.JoinAsync(token, one, two);

        var record = await CompareAsync(host, Quick, token);

        Assert.Equal("completed", record.GetProperty("state").GetString());
        Assert.Equal(["node-1 alone (builtin)", "node-2 alone (builtin)", "node-1 + node-2 cut 3:3 (builtin)"], Labels(record).Order(new SinglesFirst()));
        Assert.All(record.GetProperty("candidates").EnumerateArray(), candidate => Assert.Equal("measured", candidate.GetProperty("state").GetString()));
        Assert.Equal(3 * 2 * 2, record.GetProperty("samples").GetArrayLength());
        Assert.NotEqual("", record.GetProperty("verdict").GetProperty("headline").GetString());
        Assert.Empty((await host.GetAsync("/api/deployments", token)).EnumerateArray());
        using var http = host.CreateClient();
        foreach (var (format, words) in new[] { ("html", "<!doctype html>"), ("markdown", "## Machines"), ("json", "\"samples\""), ("jsonl", "clusterllm-measurement-1") })
        {
            var report = await http.GetStringAsync(new Uri($"/api/comparisons/{Id(record)}/report?format={format}", UriKind.Relative), token);
            Assert.Contains(words, report);
        }

        var listed = (await host.GetAsync("/api/comparisons", token)).EnumerateArray().Single();
        Assert.Equal($"/api/comparisons/{Id(record)}/report", listed.GetProperty("report").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Compare_DefaultCells_RunOnADeploymentForEachShape()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var one = await NodeAsync("node-1", token);
        one.Models.Single().MaxContextTokens = 4096;
        await host.JoinAsync(token, one);

        var record = await CompareAsync(host, """{"model":"tiny","rounds":2,"mostRounds":2}""", token);

        Assert.Equal(["node-1 alone (builtin)"], Labels(record));
        // Each of a chat at 1, 2, 4 and 8, and a prompt of 2k for one, in two rounds.
        Assert.Equal(5 * 2, record.GetProperty("samples").GetArrayLength());
        var started = new[] { await one.Shards.NextStartAsync(token), await one.Shards.NextStartAsync(token) };
        Assert.Equal([(2112u, 1u), (192u, 8u)], started.Select(shard => (shard.ContextTokens, shard.MaxConcurrency)).OrderByDescending(shape => shape.ContextTokens));
    }

    [Fact(Timeout = 120_000)]
    public async Task Compare_EngineThatNoNodeHas_IsToldAndLeftOut()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var one = await NodeAsync("node-1", token);
        await host.JoinAsync(token, one);

        var record = await CompareAsync(host, Quick[..^1] + ""","engines":["mlx","builtin"]}""", token);
        var nothing = await CompareAsync(host, """{"model":"tiny","engines":["mlx"]}""", token);

        const string Missing = "Engine 'mlx' was asked for, and no node has it: node-1: it does not know it.";
        Assert.Equal(["node-1 alone (builtin)"], Labels(record));
        Assert.Contains(Missing, record.GetProperty("notes").EnumerateArray().Select(note => note.GetString()));
        Assert.Equal(("failed", Missing), (nothing.GetProperty("state").GetString(), nothing.GetProperty("reason").GetString()));
    }

    [Fact(Timeout = 120_000)]
    public async Task Compare_NodeWithAnotherAnswer_IsWrongAndNotRanked()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var one = await NodeAsync("node-1", token);
        await using var two = await NodeAsync("node-2", token);
        await using var three = await NodeAsync("node-3", token, Answer("some", "thing", "else", "here"));
        await host.JoinAsync(token, one, two, three);

        var record = await CompareAsync(host, Quick, token);

        var wrong = record.GetProperty("candidates").EnumerateArray().Where(candidate => candidate.GetProperty("state").GetString() == "wrong").ToArray();
        Assert.Contains("node-3 alone (builtin)", wrong.Select(candidate => candidate.GetProperty("candidate").GetProperty("label").GetString()));
        Assert.All(wrong, candidate => Assert.DoesNotContain(
            record.GetProperty("samples").EnumerateArray(), sample => sample.GetProperty("candidateId").GetString() == candidate.GetProperty("candidate").GetProperty("id").GetString()));
    }

    [Fact(Timeout = 120_000)]
    public async Task Compare_NodeDiesInTheMiddle_ItsCandidatesAreIncompleteAndTheOthersGoOn()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost().With("Deployments:StartupGrace", "00:00:00");
        await using var one = await NodeAsync("node-1", token);
        var two = await NodeAsync("node-2", token);
        await host.JoinAsync(token, one, two);
        var answered = 0;
        var good = two.Script;
        two.Script = async (request, events, cancelled) =>
        {
            // Its first looks are answered; then the machine is gone.
            if (Interlocked.Increment(ref answered) > 12)
            {
                throw new IOException("gone");
            }

            await good(request, events, cancelled);
        };

        var record = await CompareAsync(host, """{"model":"tiny","workloads":[{"promptTokens":8,"outputTokens":4}],"concurrency":[1],"rounds":4,"mostRounds":4}""", token);
        await two.DisposeAsync();

        Assert.Equal("completed", record.GetProperty("state").GetString());
        var states = record.GetProperty("candidates").EnumerateArray().ToDictionary(
            candidate => candidate.GetProperty("candidate").GetProperty("label").GetString()!, candidate => candidate.GetProperty("state").GetString());
        Assert.Equal(("measured", "incomplete"), (states["node-1 alone (builtin)"], states["node-2 alone (builtin)"]));
        Assert.Contains(record.GetProperty("notes").EnumerateArray(), note => note.GetString()!.Contains("node-2 alone (builtin) is incomplete", StringComparison.Ordinal));
    }

    [Fact(Timeout = 120_000)]
    public async Task Compare_NobodyAnswers_SaysThatNothingWasMeasured()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var one = await NodeAsync("node-1", token, Answers.Error(500, "the engine is broken"));
        await host.JoinAsync(token, one);

        var record = await CompareAsync(host, Quick, token);

        Assert.Equal("completed", record.GetProperty("state").GetString());
        Assert.Contains("the engine is broken", record.GetProperty("candidates")[0].GetProperty("reason").GetString());
        Assert.Equal("nothing", record.GetProperty("verdict").GetProperty("oneRequest").GetProperty("answer").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Compare_TooLittleMemory_IsRefusedWithTheBytes()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var small = await FakeNode.StartAsync("node-1", token, FakeModel.Llama(layerBytes: 500_000_000));
        await host.JoinAsync(token, small);

        var record = await CompareAsync(host, Quick, token);

        var refused = record.GetProperty("candidates")[0];
        Assert.Equal("refused", refused.GetProperty("state").GetString());
        Assert.Matches(@"\d+(\.\d+)? GB|\d{6,}", refused.GetProperty("reason").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Compare_PromptsFromACache_DoNotCountAndAreTold()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var one = await NodeAsync("node-1", token);
        await using var two = await NodeAsync("node-2", token, Answer(7, "one", "two", "three", "four"));
        await host.JoinAsync(token, one, two);

        var record = await CompareAsync(host, """{"model":"tiny","layers":{"node-2":[0,3],"node-1":[3,6]},"workloads":[{"promptTokens":8,"outputTokens":4}],"concurrency":[1],"rounds":2,"mostRounds":2}""", token);

        // The node with the last stage answers.
        var cached = record.GetProperty("candidates").EnumerateArray()
            .Where(candidate => candidate.GetProperty("stages").EnumerateArray().Last().GetProperty("nodeId").GetString() == "node-2")
            .Select(candidate => candidate.GetProperty("candidate").GetProperty("id").GetString()).ToHashSet();
        Assert.All(
            record.GetProperty("samples").EnumerateArray(),
            sample => Assert.Equal(cached.Contains(sample.GetProperty("candidateId").GetString()) ? "14 of 16 prompt tokens came from a cache" : null, sample.GetProperty("problem").GetString()));
        Assert.Contains(record.GetProperty("notes").EnumerateArray(), note => note.GetString() == "Round 1, node-2 alone (builtin), 8+4 x1: not counted, 14 of 16 prompt tokens came from a cache.");
        Assert.Contains("node-2 + node-1 cut 3:3 (builtin)", Labels(record));
        Assert.DoesNotContain(record.GetProperty("verdict").GetProperty("oneRequest").GetProperty("winner").GetString(), cached);
    }

    [Fact(Timeout = 120_000)]
    public async Task Compare_UnknownModelOrNode_FailsWithTheName()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var one = await NodeAsync("node-1", token);
        await host.JoinAsync(token, one);

        Assert.Contains("tinny", (await CompareAsync(host, """{"model":"tinny"}""", token)).GetProperty("reason").GetString());
        Assert.Contains("node-7", (await CompareAsync(host, """{"model":"tiny","nodes":["node-7"]}""", token)).GetProperty("reason").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Delete_WhileItRuns_EndsItAndLeavesNoDeployment()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        await using var one = await NodeAsync("node-1", token);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        one.Script = async (_, _, cancelled) =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancelled);
        };
        await host.JoinAsync(token, one);
        var id = await StartAsync(host, Quick, token);
        await asked.Task.WaitAsync(token);
        using var http = host.CreateClient();

        using var ended = await http.DeleteAsync(new Uri($"/api/comparisons/{id}", UriKind.Relative), token);
        var record = await host.WaitAsync($"/api/comparisons/{id}/events", "the comparison to end", seen => seen.GetProperty("state").GetString() == "cancelled", token);
        using var forgotten = await http.DeleteAsync(new Uri($"/api/comparisons/{id}", UriKind.Relative), token);

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.NoContent), (ended.StatusCode, forgotten.StatusCode));
        Assert.Equal("cancelled", record.GetProperty("state").GetString());
        Assert.Empty((await host.GetAsync("/api/deployments", token)).EnumerateArray());
    }

    [Fact(Timeout = 120_000)]
    public async Task Restart_KeepsWhatWasCompared()
    {
        var token = TestContext.Current.CancellationToken;
        JsonElement record;
        string home;
        await using (var host = new CoordinatorHost())
        {
            home = host.Home;
            await using var one = await NodeAsync("node-1", token);
            await host.JoinAsync(token, one);
            record = await CompareAsync(host, Quick, token);
        }

        await using var second = new CoordinatorHost { Home = home };
        var kept = await second.GetAsync($"/api/comparisons/{Id(record)}", token);

        Assert.Equal(record.ToString(), kept.ToString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Import_Lines_FeedsThePlannersConstantsWithTheirSource()
    {
        var token = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        using var http = host.CreateClient();
        using var lines = new StringContent(
            string.Join('\n', Line("small", 28, 900_000_000, 130), Line("big", 80, 40_900_000_000, 5), Line("lie", 80, 40_900_000_000, 50)), Encoding.UTF8, "application/jsonl");

        using var answer = await http.PostAsync(new Uri("/api/measurements", UriKind.Relative), lines, token);
        var outcome = await answer.Content.ReadFromJsonAsync<JsonElement>(token);

        Assert.Equal((2, 1), (outcome.GetProperty("imported").GetInt32(), outcome.GetProperty("rejected").GetArrayLength()));
        Assert.Contains("273 GB/s", outcome.GetProperty("rejected")[0].GetProperty("message").GetString());
        var calibration = outcome.GetProperty("calibrations")[0];
        Assert.Equal(("chip:M4 PRO/20", "anna"), (calibration.GetProperty("key").GetString(), calibration.GetProperty("calibration").GetProperty("source").GetString()));
        Assert.Equal(2, (await host.GetAsync("/api/measurements", token)).GetArrayLength());
    }

    private static string Line(string model, int layers, long bytes, double speed) => JsonSerializer.Serialize(new
    {
        schema = "clusterllm-measurement-1",
        source = "anna",
        measuredAt = "2026-11-01T12:00:00Z",
        chip = "M4 Pro",
        gpuCores = 20,
        memoryBytes = 64L << 30,
        nodes = 1,
        operatingSystem = "macOS 26",
        engine = "mlx",
        engineVersion = "mlx 0.32.4",
        model,
        format = "4-bit",
        layers,
        activeBytes = bytes,
        promptTokens = 128,
        outputTokens = 64,
        concurrency = 1,
        decodeTokensPerSecond = speed,
        prefillTokensPerSecond = 100,
        timeToFirstTokenSeconds = 1,
        aggregateTokensPerSecond = speed,
        rounds = 5,
    });

    private static async Task<FakeNode> NodeAsync(string id, CancellationToken token, AgentScript? script = null)
    {
        var node = await FakeNode.StartAsync(id, token, FakeModel.Llama());
        node.Script = script ?? Answer("one", "two", "three", "four");
        return node;
    }

    /// <summary>Four tokens without a cache, at a pace that can be timed.</summary>
    private static AgentScript Answer(params string[] pieces) => Answer(0, pieces);

    /// <param name="cached">Of the prompt's 8 tokens.</param>
    private static AgentScript Answer(uint cached, params string[] pieces) => async (_, events, cancelled) =>
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        foreach (var piece in pieces)
        {
            await pace.WaitForNextTickAsync(cancelled);
            await events.WriteAsync(Answers.Chunk($$"""{"id":"x","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"{{piece}}","finish_reason":null}]}"""), CancellationToken.None);
        }

        await events.WriteAsync(new() { Finished = new() { FinishReason = "length", PromptTokens = 8, CachedTokens = cached, CompletionTokens = (uint)pieces.Length } }, CancellationToken.None);
    };

    private static async Task<string> StartAsync(CoordinatorHost host, string body, CancellationToken token)
    {
        using var http = host.CreateClient();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/api/comparisons", UriKind.Relative), content, token);
        var text = await answer.Content.ReadAsStringAsync(token);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, text);
        return JsonSerializer.Deserialize<JsonElement>(text).GetProperty("id").GetString()!;
    }

    private static async Task<JsonElement> CompareAsync(CoordinatorHost host, string body, CancellationToken token)
    {
        var id = await StartAsync(host, body, token);
        await host.WaitAsync($"/api/comparisons/{id}/events", "the comparison to be over", seen => seen.GetProperty("state").GetString() is not ("queued" or "running"), token);
        return await host.GetAsync($"/api/comparisons/{id}", token);
    }

    private static string Id(JsonElement record) => record.GetProperty("id").GetString()!;

    private static IEnumerable<string> Labels(JsonElement record) =>
        record.GetProperty("candidates").EnumerateArray().Select(candidate => candidate.GetProperty("candidate").GetProperty("label").GetString()!);

    /// <summary>Shorter names first, then by letter: the order of stages is the planner's.</summary>
    private sealed class SinglesFirst : IComparer<string>
    {
        public int Compare(string? x, string? y) => (x!.Contains('+', StringComparison.Ordinal), x).CompareTo((y!.Contains('+', StringComparison.Ordinal), y));
    }
}
