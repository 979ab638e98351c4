using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Dashboard.Contract;
using ClusterLlm.AppHost.Standalone;
using Grpc.Core;

namespace ClusterLlm.AppHost.Tests.Dashboard;

/// <summary>What the dashboard is told: rows, changes, logs.</summary>
public sealed class ResourceServiceTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("wrong")]
    [InlineData("")]
    public async Task Call_WrongKey_IsUnauthenticated(string key)
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ResourceServiceFixture.StartAsync(token);

        var unary = await Assert.ThrowsAsync<RpcException>(async () => await fixture.Client.GetApplicationInformationAsync(new(), fixture.Key(key), cancellationToken: token));
        using var watch = fixture.Client.WatchResources(new(), fixture.Key(key), cancellationToken: token);
        var stream = await Assert.ThrowsAsync<RpcException>(() => watch.ResponseStream.MoveNext(token));
        using var dialogs = fixture.Client.WatchInteractions(fixture.Key(key), cancellationToken: token);
        var both = await Assert.ThrowsAsync<RpcException>(() => dialogs.ResponseStream.MoveNext(token));

        Assert.All([unary, stream, both], failure => Assert.Equal(StatusCode.Unauthenticated, failure.StatusCode));
    }

    [Fact(Timeout = 60_000)]
    public async Task WatchResources_ProcessChanges_SendsAllRowsAndThenTheChange()
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ResourceServiceFixture.StartAsync(token);
        using var watch = fixture.Client.WatchResources(new(), fixture.Key(), cancellationToken: token);

        Assert.True(await watch.ResponseStream.MoveNext(token));
        Assert.Equal(["coordinator", "node-1"], watch.ResponseStream.Current.InitialData.Resources.Select(row => row.DisplayName).Order());

        fixture.Table.Update("coordinator", old => old with { State = ProcessState.Failed, ExitCode = 137, Detail = "exit code 137, 6 times in a row" });
        var row = await NextRowAsync(watch, fixture.CoordinatorRow, token);

        Assert.Equal(("FailedToStart", "error"), (row.State, row.StateStyle));
        Assert.Equal(137, row.Properties.First(property => property.Name == "resource.exitCode").Value.NumberValue);
        Assert.NotNull(row.StoppedAt);
        Assert.DoesNotContain(fixture.Addresses.TelemetryKey, row.ToString());
    }

    /// <summary>What the dashboard cannot do without: a message that lacks it ends its watch without a word.</summary>
    [Fact(Timeout = 60_000)]
    public async Task WatchResources_EveryRow_HasWhatTheDashboardNeeds()
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ResourceServiceFixture.StartAsync(token);
        fixture.Table.Update("coordinator", old => old with { State = ProcessState.Healthy, Urls = old.Urls.Add("http", "http://127.0.0.1:1").Add("grpc", "http://127.0.0.1:2") });
        using var watch = fixture.Client.WatchResources(new(), fixture.Key(), cancellationToken: token);
        Assert.True(await watch.ResponseStream.MoveNext(token));

        Assert.All(watch.ResponseStream.Current.InitialData.Resources, row =>
        {
            Assert.All([row.Name, row.ResourceType, row.DisplayName, row.Uid], Assert.NotEmpty);
            Assert.NotNull(row.CreatedAt);
            Assert.All(row.Properties, property => Assert.NotNull(property.Value));
            Assert.All(row.Urls, url => Assert.NotNull(url.DisplayProperties));
        });
    }

    [Fact(Timeout = 60_000)]
    public async Task WatchResourceConsoleLogs_LinesBeforeAndAfter_SendsThemInOrder()
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ResourceServiceFixture.StartAsync(token);
        fixture.LogOf("coordinator").Append("before", isError: false);
        using var watch = fixture.Client.WatchResourceConsoleLogs(new() { ResourceName = fixture.CoordinatorRow }, fixture.Key(), cancellationToken: token);

        Assert.True(await watch.ResponseStream.MoveNext(token));
        Assert.Equal(["before"], watch.ResponseStream.Current.LogLines.Select(line => line.Text));
        fixture.LogOf("coordinator").Append("after", isError: true);
        Assert.True(await watch.ResponseStream.MoveNext(token));

        var line = Assert.Single(watch.ResponseStream.Current.LogLines);
        Assert.Equal(("after", true, 2), (line.Text, line.IsStdErr, line.LineNumber));
    }

    [Fact(Timeout = 60_000)]
    public async Task WatchResourceConsoleLogs_OnlyWhatIsThere_Ends()
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ResourceServiceFixture.StartAsync(token);
        fixture.LogOf("coordinator").Append("before", isError: false);
        using var watch = fixture.Client.WatchResourceConsoleLogs(
            new() { ResourceName = fixture.CoordinatorRow, SuppressFollow = true }, fixture.Key(), cancellationToken: token);

        Assert.True(await watch.ResponseStream.MoveNext(token));
        Assert.False(await watch.ResponseStream.MoveNext(token));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("no-such-command", null)]
    [InlineData(ClusterCommands.Launch, "no-such-row")]
    public async Task ExecuteResourceCommand_UnknownCommandOrRow_IsNotFound(string command, string? row)
    {
        var token = TestContext.Current.CancellationToken;
        await using var fixture = await ResourceServiceFixture.StartAsync(token);
        var request = new ResourceCommandRequest { CommandName = command, ResourceName = row ?? fixture.CoordinatorRow, NonInteractive = true };

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await fixture.Client.ExecuteResourceCommandAsync(request, fixture.Key(), cancellationToken: token));

        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
        Assert.Contains(row ?? command, failure.Status.Detail);
    }

    private static async Task<Resource> NextRowAsync(AsyncServerStreamingCall<WatchResourcesUpdate> watch, string name, CancellationToken cancellationToken)
    {
        while (await watch.ResponseStream.MoveNext(cancellationToken))
        {
            if (watch.ResponseStream.Current.Changes?.Value.LastOrDefault(change => change.Upsert?.Name == name) is { } change)
            {
                return change.Upsert;
            }
        }

        throw new InvalidOperationException($"The watch ended before {name} changed.");
    }
}
