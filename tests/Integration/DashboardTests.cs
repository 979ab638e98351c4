using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using ClusterLlm.Integration.Security;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration;

/// <summary>
/// A person's walk through the dashboard of the standalone host, in a real browser. The built AppHost is started, not <c>dotnet run</c> on a copy of the
/// repository: building the copy would take longer than all of the walk.
/// </summary>
[Trait("category", "slow")]
[Collection(HostProcesses.Name)]
public sealed partial class DashboardTests
{
    [Fact(Timeout = 400_000)]
    public Task Walk_Resources_Console_Launch_Trace_Metric() => UseAsync(page => WalkAsync(page, deploymentPrefix: ""), TestContext.Current.CancellationToken);

    [Fact(Timeout = 400_000)]
    public Task Compare_ByTheButton_LeadsToItsReport() => UseAsync(CompareAsync, TestContext.Current.CancellationToken);

    private static async Task UseAsync(Func<DashboardPage, Task> walk, CancellationToken token)
    {
        var browser = DashboardPrerequisites.Browser();
        DashboardPrerequisites.SkipWithoutDashboard();
        var home = AppHostProcess.NewHome();
        LinkModel(home);
        await using (var host = AppHostProcess.Start(home, DashboardPrerequisites.Settings))
        {
            var ready = await host.WaitUntilReadyAsync(token);
            var login = (await host.WaitForLineAsync("dashboard    running", token)).Split(' ')[^1];
            await AskAsync(ApiUrl().Match(ready).Value, token);
            await DashboardPage.UseAsync(browser, login, walk);
            if (OperatingSystem.IsLinux())
            {
                // Host, dashboard, Coordinator and agents: what somebody on this machine could ask any of their ports.
                await TreeSockets.AssertClosedAsync(host.Pid, token);
            }
        }

        Directory.Delete(home, recursive: true);
    }

    /// <param name="deploymentPrefix">What stands before a deployment's name in its row: Aspire's own host has no names for people.</param>
    internal static async Task WalkAsync(DashboardPage page, string deploymentPrefix)
    {
        await page.LogInAsync();
        foreach (var name in new[] { "coordinator", $"{deploymentPrefix}demo", "node-1", "node-2", "node-3" })
        {
            await page.WaitForStateAsync(name, "Running");
        }

        await page.ShootAsync("resources");
        await LaunchAsync(page, $"{deploymentPrefix}second");
        await MakeTokenAsync(page);

        await page.OpenConsoleAsync("node-1");
        await page.WaitForTextAsync("Node node-1 listens for gRPC");
        await page.ShootAsync("console");

        await page.OpenTraceAsync("POST /v1/chat/completions");
        await page.WaitForTextAsync("chat demo-3m");
        Assert.Equal(3, await page.CountRowsAsync("stage layers"));
        await page.ShootAsync("trace");

        await page.OpenMetricAsync("coordinator", "clusterllm.node.decode_rate");
        await page.ShootAsync("metric");
    }

    /// <summary>A short comparison, by the button; then along the link of its result to the report, which tells how far it is until the verdict is there.</summary>
    internal static async Task CompareAsync(DashboardPage page)
    {
        await page.LogInAsync();
        await page.WaitForStateAsync("coordinator", "Running");
        var dialog = await page.RunCommandAsync("coordinator", "Measures the cluster and each node alone");
        await dialog.FillAsync("Workloads", "eight");
        await dialog.ConfirmAsync();
        await page.WaitForTextAsync("give prompt+output tokens, for example 128+64");
        await dialog.FillAsync("Workloads", "32+16");
        await dialog.FillAsync("Requests at once", "1, 8");
        await dialog.FillAsync("Rounds", "2");
        await dialog.FillAsync("Minutes", "1");
        await page.ShootAsync("compare");
        await dialog.ConfirmAsync();
        await page.WaitForTextAsync("shows progress now");
        await page.ShootAsync("compared");

        var report = await page.OpenLinkAsync("/api/comparisons/");
        await report.WaitForVerdictAsync();
        await report.ShootAsync("report");
        Assert.Equal(["Tokens per second against requests at once", "Measured against predicted"], await report.DrawnPicturesAsync());
        var tables = await report.TablesAsync();
        Assert.All(["Results", "Every cell, measured beside predicted", "Candidates", "Machines"], title => Assert.InRange(tables[title], 1, 100));
    }

    /// <summary>First with values that are not possible, which their fields tell, then with some that are.</summary>
    private static async Task LaunchAsync(DashboardPage page, string row)
    {
        var dialog = await page.RunCommandAsync("coordinator", "Plans which node holds which layers");
        await dialog.FillAsync("Name", "second");
        await dialog.ChooseAsync("Objective", "all nodes");
        await dialog.FillAsync("Nodes", "node-1, node-2");
        await dialog.FillAsync("Concurrency", "99999");
        await dialog.ConfirmAsync();
        await page.WaitForTextAsync("give a whole number from 1 to 4096");
        await page.ShootAsync("launch-refused");

        await dialog.FillAsync("Concurrency", "2");
        await dialog.ConfirmAsync();
        await page.WaitForTextAsync("is being loaded");
        await page.WaitForTextAsync("node-2");
        await page.ShootAsync("launched");
        await page.LogInAsync();
        await page.WaitForStateAsync(row, "Running");
    }

    /// <summary>A command that stands in the menu only; its answer is the Coordinator's, shown as Markdown.</summary>
    private static async Task MakeTokenAsync(DashboardPage page)
    {
        var dialog = await page.RunMenuCommandAsync("coordinator", "For a machine that is set up by hand");
        await dialog.FillAsync("Machines", "0");
        await dialog.ConfirmAsync();
        await page.WaitForTextAsync("give a whole number from 1 to 1000");
        await dialog.FillAsync("Machines", "2");
        await dialog.FillAsync("Node id", "mac-in-the-cellar");
        await dialog.ConfirmAsync();
        await page.WaitForTextAsync("2 use(s) until");
        await page.WaitForTextAsync("listens on this machine only");
        await page.ShootAsync("token");
    }

    /// <summary>A real model beside the demo, where there is one.</summary>
    private static void LinkModel(string home)
    {
        if (SharedFiles.Find("models/SmolLM2-135M-Instruct-4bit") is { } model)
        {
            Directory.CreateSymbolicLink(Path.Join(Directory.CreateDirectory(Path.Join(home, "models")).FullName, Path.GetFileName(model)), model);
        }
    }

    internal static async Task AskAsync(string api, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        using var answer = await http.PostAsJsonAsync(
            $"{api}/chat/completions",
            new { model = "demo", temperature = 0, max_tokens = 16, messages = new[] { new { role = "user", content = "What is a shard?" } } },
            cancellationToken);
        var completion = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        Assert.True(answer.IsSuccessStatusCode, completion.ToString());
    }

    [GeneratedRegex(@"http://\S+/v1")]
    internal static partial Regex ApiUrl();
}
