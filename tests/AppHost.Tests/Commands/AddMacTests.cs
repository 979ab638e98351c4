using System.Net;
using ClusterLlm.AppHost.Commands;

namespace ClusterLlm.AppHost.Tests.Commands;

public sealed class AddMacTests : IDisposable
{
    private readonly FakeCluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task Run_NodeJoins_SendsWhatWasTypedAndShowsEachStep()
    {
        Answer("""{"id":"r1","state":"succeeded","host":"mini.local","nodeId":"mini-1a2b","steps":[{"name":"connect","title":"Connect over SSH","state":"done","detail":"anna@mini.local"}],"notes":["FileVault is on."]}""");

        var outcome = await RunAsync(new() { ["target"] = " anna@mini.local ", ["password"] = " two blanks ", ["hostKey"] = "", ["userService"] = "no" });

        Assert.Equal((true, "mini-1a2b is a node of the cluster."), (outcome.Success, outcome.Message));
        Assert.Equal("""POST /api/nodes {"target":"anna@mini.local","password":" two blanks ","hostKey":null,"userService":false}""", _cluster.Requests[0]);
        Assert.Contains("✓ **Connect over SSH** anna@mini.local", outcome.Markdown, StringComparison.Ordinal);
        Assert.Contains("FileVault is on.", outcome.Markdown, StringComparison.Ordinal);
        Assert.DoesNotContain("two blanks", outcome.Markdown + outcome.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_HostKeyIsNotKnown_ShowsItAndWhatToDo()
    {
        Answer("""{"id":"r1","state":"failed","host":"mini.local","steps":[{"name":"connect","title":"Connect over SSH","state":"failed"}],"problem":{"step":"connect","kind":"hostKeyUnknown","message":"mini.local shows SHA256:abc","repeat":"Run the same again."}}""");

        var outcome = await RunAsync(new() { ["target"] = "anna@mini.local", ["hostKey"] = " SHA256:old ", ["userService"] = "yes" });

        Assert.Equal((false, "mini.local shows SHA256:abc"), (outcome.Success, outcome.Message));
        Assert.Contains("\"hostKey\":\"SHA256:old\",\"userService\":true", _cluster.Requests[0], StringComparison.Ordinal);
        Assert.Contains("Run the same again.", outcome.Markdown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_AddMac_AsksNoPlan()
    {
        var errors = await new CommandRunner(() => _cluster.Client, TimeProvider.System)
            .CheckAsync(ClusterCommands.Find(ClusterCommands.AddMac), new Dictionary<string, string?> { ["target"] = "" }, TestContext.Current.CancellationToken);

        Assert.Equal(["target"], errors.Keys);
        Assert.Empty(_cluster.Requests);
    }

    private void Answer(string run) => _cluster
        .Answer("POST /api/nodes", """{"id":"r1","state":"running","host":"mini.local"}""", HttpStatusCode.Accepted)
        .Answer("GET /api/node-runs/r1/events", $"event: run\ndata: {run}\n\n");

    private Task<CommandOutcome> RunAsync(Dictionary<string, string?> values) =>
        new CommandRunner(() => _cluster.Client, TimeProvider.System).RunAsync(ClusterCommands.Find(ClusterCommands.AddMac), "", values, TestContext.Current.CancellationToken);
}
