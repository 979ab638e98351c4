using System.Globalization;
using System.Text.RegularExpressions;

namespace ClusterLlm.Integration;

/// <summary>What becomes of the rest when one process is killed.</summary>
[Trait("category", "slow")]
public sealed partial class KillTests
{
    private static readonly TimeSpan RestartLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(10);

    [Fact(Timeout = 180_000)]
    public async Task Kill_EachProcessInTurn_IsToldWithItsExitCodeAndItsLogIsKept()
    {
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        await using (var host = AppHostProcess.Start(home))
        {
            await host.WaitUntilReadyAsync(token);
            foreach (var started in StartedLine().Matches(host.Output).ToList())
            {
                var name = started.Groups["name"].Value;
                AppHostProcess.Signal("KILL", int.Parse(started.Groups["pid"].Value, CultureInfo.InvariantCulture));

                var told = await host.WaitForLineAsync($"{name,-13}restarting", token).WaitAsync(RestartLimit, TimeProvider.System, token);
                Assert.Contains("exit code 137", told);
                Assert.True(new FileInfo(Path.Join(home, "logs", $"{name}.log")).Length > 0);
            }
        }

        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 400_000)]
    public async Task Kill_HostWithDashboard_TheDashboardEndsToo()
    {
        DashboardPrerequisites.SkipWithoutDashboard();
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        await using (var host = AppHostProcess.Start(home, "--AppHost:Agents=0", "--AppHost:Dashboard=true", "--AppHost:DashboardPort=0", $"--AppHost:DashboardFolder={DashboardPrerequisites.DashboardFolder}"))
        {
            var login = new Uri((await host.WaitForLineAsync("dashboard    running", token)).Split(' ')[^1]);
            using var http = new HttpClient();
            using (var answer = await http.GetAsync(login, token))
            {
                Assert.True(answer.IsSuccessStatusCode);
            }

            host.Signal("KILL");
            await host.WaitForExitAsync(token);
            await WaitUntilSilentAsync(http, login, token).WaitAsync(EndLimit, TimeProvider.System, token);
        }

        Directory.Delete(home, recursive: true);
    }

    private static async Task WaitUntilSilentAsync(HttpClient http, Uri url, CancellationToken cancellationToken)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        while (await pause.WaitForNextTickAsync(cancellationToken))
        {
            try
            {
                using var answer = await http.GetAsync(url, cancellationToken);
            }
            catch (HttpRequestException)
            {
                return;
            }
        }
    }

    [GeneratedRegex(@"^(?<name>\S+) +starting +pid (?<pid>\d+)", RegexOptions.Multiline)]
    private static partial Regex StartedLine();
}
