using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Dashboard;
using ClusterLlm.AppHost.Dashboard.Contract;
using Grpc.Core;

namespace ClusterLlm.AppHost.Tests.Dashboard;

/// <summary>A launch through the dialog, as the dashboard plays it.</summary>
public sealed class CommandDialogTests
{
    private const string Deployment = """
        {"id": "d1", "name": "second", "model": "demo-3m", "state": "preparing", "plan": {"stages": [{"node": "node-1", "rank": 0, "firstLayer": 0, "layerCount": 8, "weightBytes": 7000000}]}}
        """;

    private const string Models = """{"models": [{"id": "demo-3m", "layers": 8, "bytes": 7900000, "maxContextTokens": 512}], "problems": []}""";

    [Fact(Timeout = 60_000)]
    public async Task Launch_BadAndThenGoodValues_TellsTheFieldAndThenLaunches()
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ReadyAsync(token);
        using var dialogs = fixture.Client.WatchInteractions(fixture.Key(), cancellationToken: token);
        var running = await LaunchAsync(fixture, dialogs, token);
        var dialog = dialogs.ResponseStream.Current;
        Assert.Equal("Launch a sharded model job", dialog.Title);
        Assert.Equal(["model", "objective", "contextTokens", "concurrency", "nodes", "name"], dialog.InputsDialog.InputItems.Select(input => input.Name));
        Assert.Equal("demo-3m", Input(dialog, "model").Value);

        await AnswerAsync(dialogs, dialog, ("concurrency", "many"));
        Assert.True(await dialogs.ResponseStream.MoveNext(token));
        var again = dialogs.ResponseStream.Current;
        Assert.Equal(dialog.InteractionId, again.InteractionId);
        Assert.Equal(["Concurrency is \"many\"; give a whole number from 1 to 4096."], Input(again, "concurrency").ValidationErrors);
        Assert.Equal("many", Input(again, "concurrency").Value);

        await AnswerAsync(dialogs, again, ("concurrency", "2"), ("name", "second"));
        Assert.True(await dialogs.ResponseStream.MoveNext(token));
        Assert.Equal(WatchInteractionsResponseUpdate.KindOneofCase.Complete, dialogs.ResponseStream.Current.KindCase);
        var response = await running;
        Assert.Equal((ResourceCommandResponseKind.Succeeded, "second is launched on node-1."), (response.Kind, response.Message));
        Assert.True(response.Result is { Format: CommandResultFormat.Markdown, DisplayImmediately: true });
        Assert.Contains("""POST /api/deployments {"model":"demo-3m","name":"second","objective":"latency","concurrency":2}""", fixture.Cluster.Requests);
    }

    [Fact(Timeout = 60_000)]
    public async Task Launch_PersonClosesTheDialog_IsCancelled()
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ReadyAsync(token);
        using var dialogs = fixture.Client.WatchInteractions(fixture.Key(), cancellationToken: token);
        var running = await LaunchAsync(fixture, dialogs, token);

        await dialogs.RequestStream.WriteAsync(new() { InteractionId = dialogs.ResponseStream.Current.InteractionId, Complete = new() }, token);

        Assert.Equal(ResourceCommandResponseKind.Cancelled, (await running).Kind);
        Assert.DoesNotContain(fixture.Cluster.Requests, request => request.StartsWith("POST /api/deployments", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task Launch_NobodyAnswers_TheDialogIsTakenBack()
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ReadyAsync(token);
        using var dialogs = fixture.Client.WatchInteractions(fixture.Key(), cancellationToken: token);
        var running = await LaunchAsync(fixture, dialogs, token);

        // The dialog may be sent a moment before the wait for its answer begins.
        while (!running.IsCompleted)
        {
            fixture.Time.Advance(CommandDialogs.Patience);
            await Task.Yield();
        }

        Assert.Equal(ResourceCommandResponseKind.Cancelled, (await running).Kind);
        Assert.True(await dialogs.ResponseStream.MoveNext(token));
        Assert.Equal(WatchInteractionsResponseUpdate.KindOneofCase.Complete, dialogs.ResponseStream.Current.KindCase);
    }

    [Fact(Timeout = 60_000)]
    public async Task Launch_PageGoesAway_TheDialogIsTakenBack()
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ReadyAsync(token);
        using var dialogs = fixture.Client.WatchInteractions(fixture.Key(), cancellationToken: token);
        using var page = CancellationTokenSource.CreateLinkedTokenSource(token);
        var running = await LaunchAsync(fixture, dialogs, page.Token);
        var dialog = dialogs.ResponseStream.Current;

        await page.CancelAsync();

        await Assert.ThrowsAsync<RpcException>(() => running);
        Assert.True(await dialogs.ResponseStream.MoveNext(token));
        Assert.Equal((dialog.InteractionId, WatchInteractionsResponseUpdate.KindOneofCase.Complete), (dialogs.ResponseStream.Current.InteractionId, dialogs.ResponseStream.Current.KindCase));
    }

    [Fact(Timeout = 60_000)]
    public async Task Launch_AskedAgainWhileADialogIsOpen_OnlyTheNewOneStays()
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ReadyAsync(token);
        using var dialogs = fixture.Client.WatchInteractions(fixture.Key(), cancellationToken: token);
        var forgotten = await LaunchAsync(fixture, dialogs, token);
        var first = dialogs.ResponseStream.Current.InteractionId;

        var running = Execute(fixture, token);

        Assert.Equal(ResourceCommandResponseKind.Cancelled, (await forgotten).Kind);
        Assert.True(await dialogs.ResponseStream.MoveNext(token));
        Assert.Equal((first, WatchInteractionsResponseUpdate.KindOneofCase.Complete), (dialogs.ResponseStream.Current.InteractionId, dialogs.ResponseStream.Current.KindCase));
        Assert.True(await dialogs.ResponseStream.MoveNext(token));
        Assert.NotEqual(first, dialogs.ResponseStream.Current.InteractionId);
        await AnswerAsync(dialogs, dialogs.ResponseStream.Current);
        Assert.Equal(ResourceCommandResponseKind.Succeeded, (await running).Kind);
    }

    [Fact(Timeout = 60_000)]
    public async Task Launch_NonInteractiveWithoutModel_SaysWhatIsMissing()
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ReadyAsync(token);
        var request = new ResourceCommandRequest { CommandName = ClusterCommands.Launch, ResourceName = fixture.CoordinatorRow, NonInteractive = true };

        var response = await fixture.Client.ExecuteResourceCommandAsync(request, fixture.Key(), cancellationToken: token);

        Assert.Equal((ResourceCommandResponseKind.InvalidArguments, "Model is missing."), (response.Kind, response.Message));
    }

    private static async Task<ResourceServiceFixture> ReadyAsync(CancellationToken cancellationToken)
    {
        var fixture = await ResourceServiceFixture.StartAsync(cancellationToken);
        fixture.Cluster
            .Answer("GET /api/models", Models)
            .Answer("GET /api/nodes", """[{"id": "node-1", "state": "ready"}]""")
            .Answer("GET /api/deployments", "[]")
            .Answer("POST /api/plans", """{"modelId": "demo-3m", "plan": {"stages": []}}""")
            .Answer("POST /api/deployments", Deployment, System.Net.HttpStatusCode.Accepted);
        return fixture;
    }

    /// <summary>Runs the command until its dialog is there.</summary>
    private static async Task<Task<ResourceCommandResponse>> LaunchAsync(
        ResourceServiceFixture fixture, AsyncDuplexStreamingCall<WatchInteractionsRequestUpdate, WatchInteractionsResponseUpdate> dialogs, CancellationToken cancellationToken)
    {
        // The dashboard watches before anybody can press a button; here the headers tell that it does.
        await dialogs.ResponseHeadersAsync.WaitAsync(cancellationToken);
        var running = Execute(fixture, cancellationToken);
        Assert.True(await dialogs.ResponseStream.MoveNext(cancellationToken));
        return running;
    }

    private static Task<ResourceCommandResponse> Execute(ResourceServiceFixture fixture, CancellationToken cancellationToken) => fixture.Client.ExecuteResourceCommandAsync(
        new() { CommandName = ClusterCommands.Launch, ResourceName = fixture.CoordinatorRow }, fixture.Key(), cancellationToken: cancellationToken).ResponseAsync;

    private static Task AnswerAsync(
        AsyncDuplexStreamingCall<WatchInteractionsRequestUpdate, WatchInteractionsResponseUpdate> dialogs,
        WatchInteractionsResponseUpdate dialog,
        params (string Name, string Value)[] values)
    {
        var answer = new WatchInteractionsRequestUpdate { InteractionId = dialog.InteractionId, InputsDialog = dialog.InputsDialog.Clone() };
        foreach (var (name, value) in values)
        {
            answer.InputsDialog.InputItems.First(input => input.Name == name).Value = value;
        }

        return dialogs.RequestStream.WriteAsync(answer);
    }

    private static InteractionInput Input(WatchInteractionsResponseUpdate dialog, string name) => dialog.InputsDialog.InputItems.First(input => input.Name == name);
}
