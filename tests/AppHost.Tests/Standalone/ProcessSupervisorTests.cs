using System.Diagnostics;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Tests.Standalone;

public sealed class ProcessSupervisorTests
{
    [Fact(Timeout = 60_000)]
    public async Task RunAsync_ProcessListens_IsHealthyThenStoppedOnRequest()
    {
        using var fakes = new FakeResources("a");
        var supervisor = fakes.Supervise(FakeResources.Resource("a"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = supervisor.RunAsync(stop.Token);

        var healthy = await fakes.Table.WaitForAsync("a", snapshot => snapshot.State == ProcessState.Healthy, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await run;

        Assert.StartsWith("http://127.0.0.1:", healthy.Urls["web"]);
        Assert.Equal((ProcessState.Stopped, 0), (fakes.Table.Current["a"].State, fakes.Table.Current["a"].ExitCode));
        Assert.Contains(supervisor.Log.Last(10), line => line.Text == "CLUSTERLLM_PARENT=stdin");
        Assert.Contains(supervisor.Log.Last(10), line => line.Text.StartsWith("ended by ", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_ProcessIsKilled_ItRunsAgainOnTheSamePort()
    {
        using var fakes = new FakeResources("a");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = fakes.Supervise(FakeResources.Resource("a")).RunAsync(stop.Token);
        var first = await fakes.Table.WaitForAsync("a", snapshot => snapshot.State == ProcessState.Healthy, TestContext.Current.CancellationToken);

        using (var process = Process.GetProcessById(first.Pid!.Value))
        {
            process.Kill();
        }

        var second = await fakes.Table.WaitForAsync("a", snapshot => snapshot.State == ProcessState.Healthy && snapshot.Restarts == 1, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await run;

        Assert.NotEqual(first.Pid, second.Pid);
        Assert.Equal(first.Urls["web"], second.Urls["web"]);
        Assert.Equal(128 + 9, second.ExitCode);
    }

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_ProcessAlwaysFails_GivesUpAndKeepsItsLastLines()
    {
        using var fakes = new FakeResources("a");
        var supervisor = fakes.Supervise(FakeResources.Resource("a", "exit 7"));

        await supervisor.RunAsync(TestContext.Current.CancellationToken);

        var failed = fakes.Table.Current["a"];
        Assert.Equal((ProcessState.Failed, 7), (failed.State, failed.ExitCode));
        Assert.Contains("exit code 7", failed.Detail);
        Assert.Contains(new LogLine(2, "it went wrong", IsError: true), supervisor.Log.Last(100).Select(line => line with { Number = 2 }));
    }

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_ProcessIgnoresTheRequest_IsEndedByForce()
    {
        using var fakes = new FakeResources(new SupervisorOptions { FirstRestartPause = TimeSpan.FromMilliseconds(10), StopGrace = TimeSpan.FromMilliseconds(300) }, "a");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = fakes.Supervise(FakeResources.Resource("a", "stubborn")).RunAsync(stop.Token);
        await fakes.Table.WaitForAsync("a", snapshot => snapshot.State == ProcessState.Healthy, TestContext.Current.CancellationToken);

        await stop.CancelAsync();
        await run;

        Assert.Equal((ProcessState.Stopped, 128 + 9), (fakes.Table.Current["a"].State, fakes.Table.Current["a"].ExitCode));
    }

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_HealthCheckFails_TellsWhy()
    {
        using var fakes = new FakeResources("a");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = fakes.Supervise(FakeResources.Resource("a", "sick")).RunAsync(stop.Token);

        var sick = await fakes.Table.WaitForAsync("a", snapshot => snapshot.Detail.Length > 0, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await run;

        Assert.Equal(ProcessState.Running, sick.State);
        Assert.EndsWith("/health answers 503", sick.Detail);
    }

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_ProcessNeverListens_IsEndedAndToldSo()
    {
        using var fakes = new FakeResources(new SupervisorOptions { FirstRestartPause = TimeSpan.FromMilliseconds(10), StartLimit = TimeSpan.FromMilliseconds(300) }, "a");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = fakes.Supervise(FakeResources.Resource("a", "silent")).RunAsync(stop.Token);

        var ended = await fakes.Table.WaitForAsync("a", snapshot => snapshot.State == ProcessState.Restarting, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await run;

        Assert.Contains("did not listen", ended.Detail);
    }

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_DependencyMoves_IsStartedAgainWithTheNewAddress()
    {
        using var fakes = new FakeResources("a", "b");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var dependent = FakeResources.Resource("b") with { WaitFor = ["a"] };
        dependent = dependent with { Environment = dependent.Environment.Add("FAKE_TOLD", new EndpointValue("a", "web")) };
        var runs = Task.WhenAll(
            fakes.Supervise(FakeResources.Resource("a")).RunAsync(stop.Token),
            fakes.Supervise(dependent).RunAsync(stop.Token));
        var first = await fakes.Table.WaitForAsync("b", snapshot => snapshot.State == ProcessState.Healthy, TestContext.Current.CancellationToken);

        fakes.Table.Update("a", old => old with { Urls = old.Urls.SetItem("web", "http://127.0.0.1:1") });
        var second = await fakes.Table.WaitForAsync("b", snapshot => snapshot.State == ProcessState.Healthy && snapshot.Pid != first.Pid, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await runs;

        Assert.Equal(0, second.ExitCode);
        Assert.Contains(fakes.LogOf("b").Last(20), line => line.Text == "FAKE_TOLD=http://127.0.0.1:1");
    }

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_FixedPortInUse_FailsWithoutAStart()
    {
        using var taken = TakenPort.Take();
        using var fakes = new FakeResources("a");

        await fakes.Supervise(FakeResources.Resource("a", port: taken.Port, isFixed: true)).RunAsync(TestContext.Current.CancellationToken);

        var failed = fakes.Table.Current["a"];
        Assert.Equal((ProcessState.Failed, (int?)null), (failed.State, failed.Pid));
        Assert.Contains($"Port {taken.Port} (Fake:Port) is in use", failed.Detail);
    }

    [Fact(Timeout = 60_000)]
    public async Task RunAsync_WantedPortInUse_TakesAnother()
    {
        using var taken = TakenPort.Take();
        using var fakes = new FakeResources("a");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = fakes.Supervise(FakeResources.Resource("a", port: taken.Port)).RunAsync(stop.Token);

        var healthy = await fakes.Table.WaitForAsync("a", snapshot => snapshot.State == ProcessState.Healthy, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await run;

        Assert.NotEqual(taken.Port, new Uri(healthy.Urls["web"]).Port);
    }
}
