using System.Globalization;
using System.Text.RegularExpressions;

namespace ClusterLlm.Integration;

/// <summary>What becomes of the rest when one process is killed, or the host, under Aspire's own host: only where the AppHost was built with Aspire.</summary>
[Trait("category", "aspire")]
[Collection(HostProcesses.Name)]
public sealed partial class AspireKillTests
{
    private static readonly TimeSpan ToldLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(10);

    [Fact(Timeout = 400_000)]
    public async Task Kill_EachProcessInTurn_IsToldWithItsExitCodeAndLeavesNoOrphan()
    {
        AspireHostTests.SkipWithoutAspire();
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        IReadOnlyList<int> left;
        await using (var host = AppHostProcess.Start(home, "--AppHost:Standalone=false"))
        {
            await host.WaitUntilReadyAsync(token);
            var started = Started(host);
            Assert.Equal(["coordinator", "node-1", "node-2", "node-3"], started.Keys.Order());

            foreach (var name in new[] { "node-1", "node-2", "coordinator" })
            {
                // What the orchestrator starts is `dotnet run`; the program is below it.
                var told = host.LineCount;
                AppHostProcess.Signal("KILL", Assert.Single(await ProcessTree.BelowAsync(started[name], "ClusterLlm.", token)));

                var ended = await host.WaitForLineAsync($"{name,-13}stopped", told, token).WaitAsync(ToldLimit, TimeProvider.System, token);
                Assert.Contains("exit code 137", ended);
            }

            var program = await ProcessTree.BelowAsync(started["node-3"], "ClusterLlm.", token);
            var before = host.LineCount;
            AppHostProcess.Signal("KILL", started["node-3"]);
            await host.WaitForLineAsync("node-3       stopped", before, token).WaitAsync(ToldLimit, TimeProvider.System, token);
            await AppHostProcess.WaitUntilGoneAsync(program, token).WaitAsync(EndLimit, TimeProvider.System, token);

            left = await ProcessTree.OfAspireHostAsync(host.Pid, token);
            Assert.NotEmpty(await ProcessTree.BelowAsync(left[0], "aspire-managed dashboard", token));
        }

        // The orchestrator itself ends a moment after the host that it waits for.
        await AppHostProcess.WaitUntilGoneAsync(left, token).WaitAsync(EndLimit, TimeProvider.System, token);
        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 400_000)]
    public async Task Kill_Host_NothingIsLeftAndTheNextStartWorks()
    {
        AspireHostTests.SkipWithoutAspire();
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        await using (var host = AppHostProcess.Start(home, "--AppHost:Standalone=false", "--AppHost:Demo=false"))
        {
            await host.WaitUntilReadyAsync(token);
            await host.WaitForLineAsync("dashboard    running", token);
            var all = await ProcessTree.OfAspireHostAsync(host.Pid, token);
            Assert.Superset(Started(host).Values.ToHashSet(), all.ToHashSet());

            host.Signal("KILL");
            await host.WaitForExitAsync(token);

            await AppHostProcess.WaitUntilGoneAsync(all, token).WaitAsync(EndLimit, TimeProvider.System, token);
        }

        await using (var next = AppHostProcess.Start(home, "--AppHost:Standalone=false", "--AppHost:Demo=false"))
        {
            await next.WaitUntilReadyAsync(token);
        }

        Directory.Delete(home, recursive: true);
    }

    private static Dictionary<string, int> Started(AppHostProcess host) => StartedLine().Matches(host.Output)
        .ToDictionary(line => line.Groups["name"].Value, line => int.Parse(line.Groups["pid"].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"^(?<name>\S+) +starting +pid (?<pid>\d+)", RegexOptions.Multiline)]
    private static partial Regex StartedLine();
}
