using ClusterLlm.AppHost.Topology;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration;

/// <summary>The walk through the dashboard under Aspire's own host: only where the AppHost was built with Aspire.</summary>
[Trait("category", "aspire")]
[Collection(HostProcesses.Name)]
public sealed class AspireHostTests
{
    [Fact(Timeout = 500_000)]
    public async Task Walk_Resources_Console_Launch_Trace_Metric()
    {
        SkipWithoutAspire();
        var browser = DashboardPrerequisites.Browser();
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        await using (var host = AppHostProcess.Start(home, "--AppHost:Standalone=false"))
        {
            await host.WaitForLineAsync("ClusterLlm, Aspire host", token);
            var ready = await host.WaitUntilReadyAsync(token);
            var login = (await host.WaitForLineAsync("dashboard    running", token)).Split(' ')[^1];
            await DashboardTests.AskAsync(DashboardTests.ApiUrl().Match(ready).Value, token);
            await DashboardPage.UseAsync(browser, login, WalkAsync);
        }

        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 300_000)]
    public async Task Python_WorkingEnvironment_IsReadyAndTellsWhatItHas()
    {
        SkipWithoutAspire();
        var browser = DashboardPrerequisites.Browser();
        var python = MlxPython.Require();
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        var environment = new Dictionary<string, string> { ["CLUSTERLLM__Engines__Mlx__Python"] = python };
        await using (var host = AppHostProcess.Start(home, environment, "--AppHost:Standalone=false", "--AppHost:Demo=false", "--AppHost:Agents=1"))
        {
            await host.WaitUntilReadyAsync(token);
            var login = (await host.WaitForLineAsync("dashboard    running", token)).Split(' ')[^1];
            await DashboardPage.UseAsync(browser, login, async page =>
            {
                await page.LogInAsync();
                await page.WaitForStateAsync("mlx-python", "Ready");
                await page.ShootAsync("aspire-python");
                await page.OpenConsoleAsync("mlx-python");
                await page.WaitForTextAsync("mlx-lm");
                await page.ShootAsync("aspire-python-console");
                await page.OpenConsoleAsync("mlx-python-installer");
                await page.WaitForTextAsync("is ready");
            });
        }

        Directory.Delete(home, recursive: true);
    }

    internal static void SkipWithoutAspire() => Assert.SkipWhen(
        typeof(BuildFacts).Assembly.GetType("ClusterLlm.AppHost.Aspire.AspireHost") is null,
        "The AppHost was built without the Aspire packages, which no package source here carries: AppHost/build/README.md.");

    private static async Task WalkAsync(DashboardPage page)
    {
        await DashboardTests.WalkAsync(page, deploymentPrefix: "deployment-");
        Assert.Equal(0, await page.CountTextAsync("development certificate"));
        await DashboardTests.CompareAsync(page);
    }
}
