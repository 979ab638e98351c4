using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration.Security;

/// <summary>Coordinator and agents as separate hosts on a routed network.</summary>
[Trait("category", "slow")]
[Collection(NetworkHosts.Tests)]
public sealed class NetworkTests
{
    [Fact(Timeout = 420_000)]
    public async Task Join_OverARoutedNetwork_AnswersRenewsUnderWayAndTellsNoSecret()
    {
        var token = TestContext.Current.CancellationToken;
        await using var cluster = await NetworkCluster.StartAsync(telemetry: true, token, ("CLUSTERLLM__Security__CertificateLifetime", "00:00:45"));
        var agent = cluster.StartAgent("node-a", await cluster.CreateTokenAsync(token, "--ttl", "10m"));
        await agent.WaitForLineAsync("Node node-a has joined cluster", token);
        await cluster.WaitForNodeAsync("node-a", token);
        Assert.Equal("1", await File.ReadAllTextAsync(new ClusterHome(cluster.CoordinatorHome).RemoteNodesPath, token));

        await DeployAsync(cluster, token);
        var renewed = agent.WaitForLineAsync("has renewed its certificate", token);
        var answers = 0;
        while (!renewed.IsCompleted)
        {
            Assert.Equal(DemoAnswer.Text, await AskAsync(cluster, token));
            answers++;
        }

        await renewed;
        Assert.Equal(DemoAnswer.Text, await AskAsync(cluster, token));
        Assert.True(answers > 1);

        await CollectSecretsAsync(cluster, token);
        foreach (var secret in cluster.Secrets)
        {
            Assert.All(cluster.Processes, process => Assert.DoesNotContain(secret, process.CommandLine() + process.EnvironmentText(), StringComparison.Ordinal));
        }

        // What is left of the telemetry goes out at the end.
        await cluster.StopAsync();
        Assert.Equal(["/v1/logs", "/v1/metrics", "/v1/traces"], cluster.Telemetry.Kinds);
        Assert.Contains("chat demo-3m", cluster.Telemetry.Received, StringComparison.Ordinal);
        Assert.Empty(cluster.Leaks());
        await AssertOneLocalAgentAsync(cluster.CoordinatorHome, token);
    }

    [Fact(Timeout = 420_000)]
    public async Task Sockets_AllOfAllProcesses_AnswerNobodyWithoutACertificateOrAKey()
    {
        var token = TestContext.Current.CancellationToken;
        await using var cluster = await NetworkCluster.StartAsync(token);
        var agent = cluster.StartAgent("node-a", await cluster.CreateTokenAsync(token));
        await cluster.WaitForNodeAsync("node-a", token);

        var probes = new List<Task<IEnumerable<string>>>();
        foreach (var (host, process, name) in new[] { (cluster.Hosts.Coordinator, cluster.Coordinator, "coordinator"), (cluster.Hosts.Agents, agent, "agent") })
        {
            var sockets = ListeningSockets.Of(process.Pid);
            Assert.NotEmpty(sockets);
            probes.AddRange(sockets.Select(async socket =>
            {
                var address = socket.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : socket.Address;
                return (await SocketProbe.AnswersAsync(() => NetworkHosts.Handler(host), new IPEndPoint(address, socket.Port), token)).Select(answer => $"{name}: {answer}");
            }));
        }

        var answers = await Task.WhenAll(probes);
        Assert.Equal(
            [
                "agent: http /alive",
                "coordinator: /clusterllm.v1.EnrollmentService/GetAuthority",
                "coordinator: http /alive",
                "coordinator: http /api/authority",
                "coordinator: http /health",
                "coordinator: https /alive",
                "coordinator: https /api/authority",
                "coordinator: https /health",
            ],
            answers.SelectMany(answer => answer).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>Adds all secrets that the cluster has besides its tokens: private keys, and an API key that was used.</summary>
    private static async Task CollectSecretsAsync(NetworkCluster cluster, CancellationToken cancellationToken)
    {
        await cluster.CreateKeyAsync("laptop", "inference", cancellationToken);
        foreach (var file in new[] { Path.Combine(cluster.CoordinatorHome, "authority", "key.pem"), Path.Combine(cluster.HomeOf("node-a"), "node", "node-a", "identity.pem") })
        {
            // The second line of a key is its own; the first one begins alike in all of this kind.
            cluster.Secrets.Add((await File.ReadAllLinesAsync(file, cancellationToken))[2]);
        }
    }

    /// <summary>A demo that is started where the cluster knew another machine counts this one's memory once.</summary>
    private static async Task AssertOneLocalAgentAsync(string home, CancellationToken cancellationToken)
    {
        await using var host = AppHostProcess.Start(home, "--AppHost:Demo=false");
        await host.WaitUntilReadyAsync(cancellationToken);
        Assert.Contains("one local agent, since 1 node is on other machines and this one's memory counts once; AppHost:Agents sets another number", host.Output, StringComparison.Ordinal);
        Assert.Equal(2, host.Children.Count);
    }

    private static async Task DeployAsync(NetworkCluster cluster, CancellationToken cancellationToken)
    {
        using var launched = await cluster.Http.PostAsJsonAsync("/api/deployments", new { model = TestModels.PathOf("demo-3m"), name = "demo", contextTokens = 256 }, cancellationToken);
        var text = await launched.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(launched.StatusCode == HttpStatusCode.Accepted, text);
        await ClusterEvents.FollowAsync(cluster.Http, JsonSerializer.Deserialize<JsonElement>(text).GetProperty("id").GetString()!, "ready", cancellationToken);
    }

    private static async Task<string> AskAsync(NetworkCluster cluster, CancellationToken cancellationToken)
    {
        var body = new { model = "demo", temperature = 0, max_tokens = DemoAnswer.Tokens, messages = new[] { new { role = "user", content = DemoAnswer.Question } } };
        using var response = await cluster.Http.PostAsJsonAsync("/v1/chat/completions", body, cancellationToken);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        Assert.True(response.IsSuccessStatusCode, answer.ToString());
        return answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }
}
