using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.Integration.Security;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration;

/// <summary>
/// What a client of the gateway sees when an agent or a rank is killed in the middle of its answer: an error event and never <c>[DONE]</c>; the ranks'
/// processes end, and the deployment comes back by itself.
/// </summary>
[Collection(MlxClusterTests.Name)]
public sealed class MlxFaultTests(MlxCluster mlx)
{
    [Theory(Timeout = 300_000)]
    [InlineData("node-2", "agent of rank 1 killed (SIGKILL)")]
    [InlineData("node-1", "agent of rank 0 killed (SIGKILL)")]
    public async Task Stream_AgentKilled_EndsWithAnErrorAndTheDeploymentComesBack(string node, string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The processes of ranks are found as Linux lists them.");
        var cancellation = TestContext.Current.CancellationToken;
        await mlx.StartAsync(cancellation);
        var agent = mlx.Cluster.Processes.Current[node].Pid!.Value;

        await BreakAsync(agent, name, cancellation);
    }

    [Fact(Timeout = 300_000)]
    public async Task Sockets_OfAgentsAndTheirRanks_AreAllOnLoopback()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sockets of a process are listed as Linux tells them.");
        var cancellation = TestContext.Current.CancellationToken;
        await mlx.StartAsync(cancellation);
        foreach (var node in new[] { "node-1", "node-2", "node-3" })
        {
            var agent = mlx.Cluster.Processes.Current[node].Pid!.Value;
            // MLX itself has no protection: what its ranks listen on must not leave the machine.
            Assert.Single(RanksOf(agent));
            await TreeSockets.OnLoopbackAsync(agent, cancellation);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task Stream_RankKilled_EndsWithAnErrorAndTheDeploymentComesBack()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The processes of ranks are found as Linux lists them.");
        var cancellation = TestContext.Current.CancellationToken;
        await mlx.StartAsync(cancellation);
        var agent = mlx.Cluster.Processes.Current["node-3"].Pid!.Value;

        await BreakAsync(Assert.Single(RanksOf(agent)), "rank 2 killed (SIGKILL)", cancellation);
    }

    private async Task BreakAsync(int victim, string name, CancellationToken cancellation)
    {
        var ranks = mlx.Cluster.Processes.Current.Values.SelectMany(process => process.Pid is { } pid ? RanksOf(pid) : []).ToArray();
        Assert.Equal(3, ranks.Length);
        var held = ranks.Sum(ProcessMemory.ResidentBytes);
        var generation = (await mlx.DeploymentAsync(cancellation)).GetProperty("generation").GetInt32();
        var broken = mlx.WaitUntilBrokenAsync(cancellation);

        var (lines, took) = await StreamAsync(() => AppHostProcess.Signal("KILL", victim), cancellation);
        var state = await broken;
        await AppHostProcess.WaitUntilGoneAsync(ranks, cancellation);

        var error = JsonSerializer.Deserialize<JsonElement>(lines[^1]["data: ".Length..]).GetProperty("error");
        mlx.Faults.Add(
            name,
            took,
            "2 s",
            $"client: error event {error.GetProperty("code")}; deployment: {state}",
            string.Create(CultureInfo.InvariantCulture, $"{held / 1e6:0} MB held, {ranks.Sum(ProcessMemory.ResidentBytes) / 1e6:0} MB after"));
        Assert.DoesNotContain("data: [DONE]", lines);
        Assert.All(lines[..^1].Where(line => line.StartsWith("data: ", StringComparison.Ordinal)), line => Assert.Contains("\"finish_reason\":null", line, StringComparison.Ordinal));
        await mlx.WaitUntilReadyAsync(cancellation);
        Assert.True((await mlx.DeploymentAsync(cancellation)).GetProperty("generation").GetInt32() > generation);
        using var again = await mlx.Cluster.Http.PostAsJsonAsync("/v1/completions", new { model = MlxCluster.Model, prompt = "Hello", max_tokens = 3 }, cancellation);
        Assert.True(again.IsSuccessStatusCode, await again.Content.ReadAsStringAsync(cancellation));
    }

    /// <summary>The lines of an answer whose cluster is broken after its third chunk, and the time from then to its end.</summary>
    private async Task<(List<string> Lines, TimeSpan Took)> StreamAsync(Action fault, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(new { model = MlxCluster.Model, prompt = "Hello", max_tokens = 1000, ignore_eos = true, stream = true }),
        };
        using var response = await mlx.Cluster.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        var lines = new List<string>();
        var watch = new Stopwatch();
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            if (line.Length > 0)
            {
                lines.Add(line);
            }

            if (lines.Count == 3 && !watch.IsRunning)
            {
                watch.Start();
                fault();
            }
        }

        return (lines, watch.Elapsed);
    }

    /// <summary>Children of an agent that run MLX.</summary>
    private static IEnumerable<int> RanksOf(int agent) => Directory.GetDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid != 0 && ParentOf(pid) == agent && CommandOf(pid).Contains("clusterllm_mlx", StringComparison.Ordinal));

    private static int ParentOf(int pid)
    {
        var status = ReadOrEmpty($"/proc/{pid}/stat");
        // 4711 (python) S 4700 …: the name may hold anything, so what follows its last bracket counts.
        var fields = status[(status.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 1 ? int.Parse(fields[1], CultureInfo.InvariantCulture) : 0;
    }

    private static string CommandOf(int pid) => ReadOrEmpty($"/proc/{pid}/cmdline");

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            // It ended meanwhile.
            return "";
        }
    }
}
