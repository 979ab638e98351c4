using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration.Comparisons;

/// <summary>Comparisons by real processes in which something goes wrong, on a Coordinator whose API asks for keys.</summary>
[Collection(HostProcesses.Name)]
[Trait("category", "slow")]
public sealed class ComparisonFaultTests : IAsyncLifetime
{
    private readonly RunningCluster _cluster = new() { Demo = false, EnvironmentOf = RequireKeys };

    public async ValueTask InitializeAsync()
    {
        await _cluster.InitializeAsync();
        var key = await File.ReadAllTextAsync(Path.Combine(_cluster.Home, "run", "local-key"), TestContext.Current.CancellationToken);
        _cluster.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Trim());
        await ComparisonCalls.WaitForNodesAsync(_cluster.Http, 3, TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact(Timeout = 240_000)]
    public async Task Compare_NodeIsKilledInTheMiddle_ItsCandidatesAreIncompleteAndTheOthersGoOn()
    {
        var token = TestContext.Current.CancellationToken;
        var request = new
        {
            model = TestModels.PathOf("demo-3m"),
            nodes = new[] { "node-1", "node-2", "node-3" },
            workloads = new[] { new { promptTokens = 8, outputTokens = 16 } },
            concurrency = new[] { 1, 2 },
            layers = new Dictionary<string, int[]> { ["node-1"] = [0, 3], ["node-3"] = [3, 8] },
            rounds = 6,
            mostRounds = 6,
        };
        var id = await ComparisonCalls.StartAsync(_cluster.Http, request, token);
        await ComparisonCalls.WaitForAsync(_cluster.Http, id, step => Round(step) >= 2, token);
        AppHostProcess.Signal("KILL", _cluster.Processes.Current["node-3"].Pid!.Value);

        var seen = await ComparisonCalls.EndAsync(_cluster.Http, id, token);

        TestContext.Current.TestOutputHelper!.WriteLine(seen.ToString());
        Assert.Equal("completed", seen.State);
        Assert.All(["node-1 alone (builtin)", "node-2 alone (builtin)"], label => Assert.Equal(("measured", 12), (seen.States[label].State, seen.SamplesOf(label))));
        Assert.All(["node-3 alone (builtin)", "node-1 + node-3 cut 3:5 (builtin)"], label =>
        {
            Assert.Equal("incomplete", seen.States[label].State);
            Assert.Contains("node-3", seen.States[label].Reason);
            Assert.Contains(seen.Notes, note => note.StartsWith($"{label} is incomplete", StringComparison.Ordinal));
            Assert.InRange(seen.SamplesOf(label), 2, 11);
        });
        Assert.DoesNotContain("node-3", seen.Winner);
        Assert.Empty((await _cluster.GetAsync("/api/deployments", token)).EnumerateArray());
    }

    /// <summary>The command has no key but the local one, which it finds in the home folder, as the comparison itself does.</summary>
    [Fact(Timeout = 240_000)]
    public async Task CompareCommand_KeysAreRequired_UsesTheLocalKey()
    {
        var token = TestContext.Current.CancellationToken;
        using var stranger = new HttpClient();
        using var refused = await stranger.GetAsync(new Uri($"{_cluster.Url}/api/nodes"), token);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);

        var html = Path.Combine(_cluster.Home, "report.html");
        var (code, output) = await CoordinatorCommand.RunAsync(
            _cluster.Home,
            [
                "compare", "--url", _cluster.Url, "--model", TestModels.PathOf("demo-3m"), "--nodes", "node-1,node-2", "--layers", "node-1=0-6,node-2=7-7",
                "--smaller-model", "llama-f32", "--workloads", "8+4", "--concurrency", "1,2", "--rounds", "2", "--most-rounds", "2", "--html", html,
            ],
            token);

        Assert.True(code == 0, output);
        var report = await File.ReadAllTextAsync(html, token);
        Assert.All(["<!doctype html>", "node-1 + node-2 cut 7:1", "the plan that was given", "llama-f32 on node-2"], text => Assert.Contains(text, report));
    }

    private static int Round(JsonElement step) =>
        step.GetProperty("progress") is { ValueKind: JsonValueKind.Object } progress ? progress.GetProperty("round").GetInt32() : 0;

    private static IEnumerable<KeyValuePair<string, SettingValue>> RequireKeys(string process) =>
        process == ClusterTopology.Coordinator ? [new("CLUSTERLLM__Security__RequireApiKeys", "true")] : [];
}
