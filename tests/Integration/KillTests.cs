using System.Globalization;
using System.Text.RegularExpressions;

namespace ClusterLlm.Integration;

/// <summary>What becomes of the rest when one process is killed.</summary>
[Trait("category", "slow")]
[Collection(HostProcesses.Name)]
public sealed partial class KillTests
{
    private static readonly TimeSpan ToldLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(10);

    [Fact(Timeout = 300_000)]
    public async Task Kill_EachProcessInTurn_IsToldWithItsExitCodeAndRunsAgain()
    {
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        IReadOnlyList<int> last;
        await using (var host = AppHostProcess.Start(home))
        {
            await host.WaitUntilReadyAsync(token);
            var started = StartedLine().Matches(host.Output).ToDictionary(line => line.Groups["name"].Value, line => Number(line.Groups["pid"].Value));
            Assert.Equal(["coordinator", "node-1", "node-2", "node-3"], started.Keys.Order());
            foreach (var (name, pid) in started)
            {
                var told = host.LineCount;
                AppHostProcess.Signal("KILL", pid);

                var ended = await host.WaitForLineAsync($"{name,-13}restarting", told, token).WaitAsync(ToldLimit, TimeProvider.System, token);
                Assert.Contains("exit code 137", ended);
                await host.WaitForLineAsync($"{name,-13}running", told, token);

                // Two addresses in each run: the log has the lines of the killed one and of the new one.
                Assert.Equal(4, (await LogAsync(home, name, token)).Split("Now listening on").Length - 1);
            }

            last = host.Children;
            Assert.Equal(4, last.Count);
            Assert.Empty(last.Intersect(started.Values));
        }

        Assert.DoesNotContain(last, AppHostProcess.IsRunning);
        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 400_000)]
    public async Task Kill_DashboardAndThenHost_TheFirstComesBackAndTheSecondLeavesNothing()
    {
        DashboardPrerequisites.SkipWithoutDashboard();
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        await using (var host = AppHostProcess.Start(home, ["--AppHost:Agents=0", .. DashboardPrerequisites.Settings]))
        {
            await host.WaitForLineAsync("dashboard    running", token);
            var dashboard = Assert.Single(await ProcessTree.BelowAsync(host.Pid, "aspire-managed dashboard", token));
            var told = host.LineCount;
            AppHostProcess.Signal("KILL", dashboard);

            var ended = await host.WaitForLineAsync("dashboard    restarting", told, token).WaitAsync(ToldLimit, TimeProvider.System, token);
            Assert.Contains("exit code 137", ended);
            await host.WaitForLineAsync("dashboard    running", told, token);

            var left = await ProcessTree.BelowAsync(host.Pid, "", token);
            Assert.NotEmpty(left);
            host.Signal("KILL");
            await host.WaitForExitAsync(token);
            await AppHostProcess.WaitUntilGoneAsync(left, token).WaitAsync(EndLimit, TimeProvider.System, token);
        }

        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 300_000)]
    public async Task Kill_DotnetRun_EverythingEnds()
    {
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        await using (var run = AppHostProcess.StartByDotnetRun(home, "--AppHost:Demo=false"))
        {
            await run.WaitUntilReadyAsync(token);
            var all = await ProcessTree.BelowAsync(run.Pid, "", token);
            Assert.True(all.Count >= 5, $"Only {all.Count} processes run: {run.Output}");

            run.Signal("KILL");
            await AppHostProcess.WaitUntilGoneAsync(all, token).WaitAsync(EndLimit, TimeProvider.System, token);
        }

        Directory.Delete(home, recursive: true);
    }

    private static async Task<string> LogAsync(string home, string name, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(Path.Join(home, "logs", $"{name}.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<name>\S+) +starting +pid (?<pid>\d+)", RegexOptions.Multiline)]
    private static partial Regex StartedLine();
}
