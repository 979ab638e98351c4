using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.Coordinator.Nodes.Adding.Commands;
using ClusterLlm.Coordinator.Nodes.Adding.Api;
using ClusterLlm.Coordinator.Tests.Fakes;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>The command to paste, and the command line, on machines of their own.</summary>
[Collection(PublishedAgent.Tests)]
public sealed class InvitationTests(PublishedAgent agent)
{
    [Fact(Timeout = 300_000)]
    public async Task Paste_OnAMachine_JoinsOnceAndOnlyWithWhatTheCoordinatorWrote()
    {
        SshMachine.Require();
        var cancelled = TestContext.Current.CancellationToken;
        await using var machine = await SshMachine.StartAsync(cancelled);
        await using var coordinator = await CoordinatorProcess.StartAsync(machine.HostAddress, cancelled, agent.Setting, $"--Cluster:HttpsAddress={machine.HostAddress}", "--Cluster:HttpsPort=0");
        using var answer = await coordinator.PostAsync("/api/invitations", new { }, cancelled);
        var invitation = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync(cancelled));
        var command = invitation.GetProperty("command").GetString()!;
        Assert.Contains($"https://{machine.HostAddress}:", command, StringComparison.Ordinal);
        Assert.DoesNotContain("cllm1", command[..command.IndexOf("printf", StringComparison.Ordinal)], StringComparison.Ordinal);

        var changed = machine.Inside(command.Replace(invitation.GetProperty("scriptSha256").GetString()!, new string('0', 64), StringComparison.Ordinal));
        Assert.NotEqual(0, changed.ExitCode);
        Assert.Contains("not the one that this command is for", changed.Output, StringComparison.Ordinal);

        var (from, token) = (command.Split(" -k ")[1].Split("/join.sh")[0], command.Split("printf '%s\\n' ")[1].Split(' ')[0]);
        var otherArchive = machine.Inside($"curl -fsSk {from}/join.sh | sed 's/sha256=[0-9a-f]*/sha256={new string('1', 64)}/' > /tmp/cllm-join && printf '%s\\n' {token} | sh /tmp/cllm-join {from}");
        Assert.Contains("Nothing of it was run", otherArchive.Output, StringComparison.Ordinal);
        var otherCluster = JoinTokenText.Write(new JoinToken("abcdefgh", new string('a', 32), AuthorityFingerprint.From(new byte[32]), []));
        Assert.Contains("another cluster", machine.Inside($"curl -fsSk {from}/join.sh > /tmp/cllm-join; printf '%s\\n' {otherCluster} | sh /tmp/cllm-join {from} 2>&1; rm /tmp/cllm-join").Output, StringComparison.Ordinal);
        Assert.Equal("", machine.Inside("ls -A /opt").Output.Trim());

        var pasted = machine.Inside(command);
        Assert.True(pasted.ExitCode == 0, pasted.Output);
        var nodes = await coordinator.WaitForNodesAsync(list => list.EnumerateArray().Any(node => node.GetProperty("state").GetString() == "ready"), cancelled);
        Assert.Single(nodes.EnumerateArray());
        Assert.DoesNotContain(token, coordinator.Output, StringComparison.Ordinal);

        // By hand, as the README says.
        var removed = machine.Inside("sh /opt/clusterllm/current/node.sh remove");
        Assert.True(removed.ExitCode == 0, removed.Output);
        Assert.Equal("", machine.Inside("ls -A /opt; pgrep -f [C]lusterLlm.NodeAgent").Output.Trim());
    }

    [Fact(Timeout = 300_000)]
    public async Task NodeAdd_OnTheCommandLine_AsksForHostKeyPasswordAndRootAndPrintsEachStep()
    {
        SshMachine.Require();
        var cancelled = TestContext.Current.CancellationToken;
        await using var machine = await SshMachine.StartAsync(cancelled);
        await using var coordinator = await CoordinatorProcess.StartAsync(machine.HostAddress, cancelled, agent.Setting);
        var asked = new List<(string Question, bool Secret)>();
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var answers = new Queue<string>(["yes", SshMachine.Password, ""]);
        using var session = new NodeSession(new HttpClient { BaseAddress = coordinator.Http.BaseAddress, Timeout = Timeout.InfiniteTimeSpan }, new NodeTerminal(output, errors, (question, secret) =>
        {
            asked.Add((question, secret));
            return answers.Dequeue();
        }));

        var code = await session.RunAsync("/api/nodes", new NodeAccessContract(machine.Target, NodeId: "by-hand"), cancelled);

        Assert.True(code == 0, $"{output}{errors}");
        Assert.Equal([false, true, true], asked.Select(one => one.Secret));
        Assert.Contains(machine.HostKeyFingerprint(), asked[0].Question, StringComparison.Ordinal);
        foreach (var expected in new[] { "✓ Connect over SSH", "✓ Copy the agent and compare its hash", "✓ Wait until the node has joined", "by-hand is a node of the cluster." })
        {
            Assert.Contains(expected, output.ToString(), StringComparison.Ordinal);
        }

        Assert.DoesNotContain(SshMachine.Password, output.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, await session.RunAsync("/api/node-runs/removals", new NodeAccessContract(machine.Target, SshMachine.Password), cancelled));
        Assert.Equal(1, await session.ForgetAsync("by-hand", cancelled));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{"from":"ftp://x"}""", "from is 'ftp://x'")]
    [InlineData("""{"from":"http://x/'; rm -rf ~"}""", "from is")]
    [InlineData("{}", "Cluster:HttpsAddress")]
    [InlineData("""{"from":"https://10.0.0.1:7443","platforms":["win-x64"]}""", "win-x64")]
    [InlineData("""{"from":"https://10.0.0.1:7443","ttlSeconds":-5}""", "time to live")]
    public async Task Invite_BadRequest_SaysWhat(string body, string expected)
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var host = new CoordinatorHost();
        using var http = host.CreateClient();
        using var answer = await http.PostAsync("/api/invitations", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), cancelled);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(expected, (await answer.Content.ReadFromJsonAsync<JsonElement>(cancelled)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("/join/agents/osx-arm64")]
    [InlineData("/join/agents/..%2F..%2Fetc%2Fpasswd")]
    public async Task Archive_NotThere_IsNotFound(string path)
    {
        await using var host = new CoordinatorHost();
        using var http = host.CreateClient();
        using var answer = await http.GetAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }
}
