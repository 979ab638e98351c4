using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using ClusterLlm.AppHost.Topology;
using Microsoft.Playwright;

namespace ClusterLlm.Integration;

/// <summary>
/// A person's walk through the dashboard of the standalone host, in a real browser. The built AppHost is started, not <c>dotnet run</c> on a copy of the
/// repository: building the copy would take longer than all of the walk.
/// </summary>
[Trait("category", "slow")]
public sealed partial class DashboardTests
{
    private const float StepLimitMilliseconds = 45_000;

    [Fact(Timeout = 500_000)]
    public async Task Walk_Resources_Console_Launch_Trace_Metric()
    {
        DashboardPrerequisites.SkipWithoutBrowser();
        DashboardPrerequisites.SkipWithoutDashboard();
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        await using (var host = AppHostProcess.Start(home, "--AppHost:Dashboard=true", "--AppHost:DashboardPort=0", $"--AppHost:DashboardFolder={DashboardPrerequisites.DashboardFolder}"))
        {
            var ready = await host.WaitUntilReadyAsync(token);
            var login = (await host.WaitForLineAsync("dashboard    running", token)).Split(' ')[^1];
            await AskAsync(ApiUrl().Match(ready).Value, token);

            using var playwright = await Playwright.CreateAsync();
            await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = DashboardPrerequisites.Chromium, Args = ["--no-sandbox"] });
            var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1600, Height = 900 } });
            page.SetDefaultTimeout(StepLimitMilliseconds);
            await WalkAsync(page, login, BuildFacts.Read().SamplesFolder);
        }

        Directory.Delete(home, recursive: true);
    }

    private static async Task WalkAsync(IPage page, string login, string samples)
    {
        var dashboard = login[..login.IndexOf("/login", StringComparison.Ordinal)];
        await page.GotoAsync(login);
        foreach (var name in new[] { "coordinator", "demo", "node-1", "node-2", "node-3" })
        {
            await Row(page, name).GetByText("Running", new() { Exact = true }).WaitForAsync();
        }

        await ShootAsync(page, "resources");
        await LaunchAsync(page, Path.Join(samples, "demo-3m"));

        await page.GotoAsync($"{dashboard}/consolelogs/resource/node-1");
        await page.GetByText("Node node-1 listens for gRPC").First.WaitForAsync();
        await ShootAsync(page, "console");

        await page.GotoAsync($"{dashboard}/traces");
        await page.Locator("fluent-search input").First.FillAsync("chat");
        await page.Locator("tr", new() { HasText = "POST /v1/chat/completions" }).Last.Locator("td").Nth(1).ClickAsync();
        await page.GetByText("chat demo-3m").First.WaitForAsync();
        await ShootAsync(page, "trace");

        await page.GotoAsync($"{dashboard}/metrics/resource/coordinator");
        await page.GetByText("clusterllm.node.decode_rate").First.WaitForAsync();
        await ShootAsync(page, "metrics");
    }

    /// <summary>First with a number that is not possible, which its field tells, then with one that is.</summary>
    private static async Task LaunchAsync(IPage page, string model)
    {
        await Row(page, "coordinator").Locator("fluent-button[title^='Plans which node']").First.ClickAsync();
        await page.GetByRole(AriaRole.Combobox, new() { Name = "Model" }).First.FillAsync(model);
        await page.Keyboard.PressAsync("Tab");
        await FillAsync(page, "Name", "second");
        await FillAsync(page, "Nodes", "node-1, node-2");
        var concurrency = page.Locator("#interactions-input-dialog fluent-number-field input").Last;
        await FillAsync(page, concurrency, "99999");
        await ConfirmAsync(page);
        await page.GetByText("give a whole number from 1 to 4096").First.WaitForAsync();
        await ShootAsync(page, "launch-refused");

        await FillAsync(page, concurrency, "2");
        await ConfirmAsync(page);
        await page.GetByText("is being loaded").First.WaitForAsync();
        await ShootAsync(page, "launched");
        await page.ReloadAsync();
        await Row(page, "second").GetByText("Running", new() { Exact = true }).WaitForAsync();
    }

    private static ILocator Row(IPage page, string name) =>
        page.Locator("tr.resource-row").Filter(new() { Has = page.Locator(".resource-name-text", new() { HasTextRegex = new($"^\\s*{name}\\s*$", RegexOptions.None, TimeSpan.FromSeconds(1)) }) });

    private static Task FillAsync(IPage page, string label, string text) =>
        FillAsync(page, page.GetByRole(AriaRole.Textbox, new() { Name = label, Exact = true }), text);

    private static async Task FillAsync(IPage page, ILocator field, string text)
    {
        await field.FillAsync(text);

        // The page takes a value over when its field is left.
        await page.Keyboard.PressAsync("Tab");
    }

    private static Task ConfirmAsync(IPage page) => page.GetByRole(AriaRole.Button, new() { Name = "OK", Exact = true }).ClickAsync();

    private static Task ShootAsync(IPage page, string name) =>
        page.ScreenshotAsync(new() { Path = Path.Join(DashboardPrerequisites.Screenshots, $"{name}.png") });

    private static async Task AskAsync(string api, CancellationToken cancellationToken)
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
    private static partial Regex ApiUrl();
}
