using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace ClusterLlm.Integration;

/// <summary>The Aspire dashboard (13.5) in a headless browser: knows its markup, so that tests can speak of rows, dialogs, logs and traces.</summary>
internal sealed class DashboardPage(IPage page, string login)
{
    /// <summary>Two cores may run a whole cluster, a browser and a build beside it.</summary>
    private const float StepLimitMilliseconds = 90_000;

    private string Url => login[..login.IndexOf("/login", StringComparison.Ordinal)];

    /// <param name="browser">Path of Chromium.</param>
    /// <param name="login">The login URL that the host prints.</param>
    public static async Task UseAsync(string browser, string login, Func<DashboardPage, Task> walk)
    {
        using var playwright = await Playwright.CreateAsync();
        await using var chromium = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = browser, Args = ["--no-sandbox"], Timeout = StepLimitMilliseconds });
        var page = await chromium.NewPageAsync(new() { ViewportSize = new() { Width = 1600, Height = 900 } });
        page.SetDefaultTimeout(StepLimitMilliseconds);
        var dashboard = new DashboardPage(page, login);
        try
        {
            await walk(dashboard);
        }
        catch
        {
            await dashboard.ShootAsync("failed");
            throw;
        }
    }

    /// <summary>Opens the resources by the login URL.</summary>
    public async Task LogInAsync()
    {
        Tell("log in");
        await page.GotoAsync(login, new() { WaitUntil = WaitUntilState.DOMContentLoaded });
        await page.Locator("tr.resource-row").First.WaitForAsync();
    }

    public async Task WaitForStateAsync(string resource, string state)
    {
        Tell($"{resource} is {state}");
        await Row(resource).GetByText(state, new() { Exact = true }).WaitForAsync();
    }

    public async Task WaitForTextAsync(string text)
    {
        Tell($"text \"{text}\"");
        await page.GetByText(text).First.WaitForAsync();
    }

    /// <summary>How often a text is on the page now.</summary>
    public Task<int> CountTextAsync(string text) => page.GetByText(text).CountAsync();

    /// <summary>Rows of the table on the page that contain a text.</summary>
    public Task<int> CountRowsAsync(string text) => page.Locator("tr", new() { HasText = text }).CountAsync();

    /// <summary>Presses a highlighted command's button in a row and waits for its dialog.</summary>
    /// <param name="tooltip">How the button's tooltip begins.</param>
    public async Task<DashboardDialog> RunCommandAsync(string resource, string tooltip)
    {
        Tell($"command of {resource}: {tooltip}");
        await Row(resource).Locator($"fluent-button[title^='{tooltip}']").First.ClickAsync();
        return await DialogAsync();
    }

    /// <summary>The same of a command that is only in the row's menu, below "Commands".</summary>
    public async Task<DashboardDialog> RunMenuCommandAsync(string resource, string tooltip)
    {
        Tell($"command in the menu of {resource}: {tooltip}");
        await Row(resource).Locator("fluent-button[title='Actions']").ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Commands" }).HoverAsync();
        await page.Locator($"fluent-menu-item[title^='{tooltip}']").ClickAsync();
        return await DialogAsync();
    }

    private async Task<DashboardDialog> DialogAsync()
    {
        var dialog = new DashboardDialog(page, page.Locator("#interactions-input-dialog").Last);
        await dialog.WaitAsync();
        return dialog;
    }

    public async Task OpenConsoleAsync(string resource)
    {
        Tell($"console of {resource}");
        await page.GotoAsync($"{Url}/consolelogs/resource/{resource}", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
    }

    /// <summary>Opens the newest trace whose name contains <paramref name="name"/>.</summary>
    public async Task OpenTraceAsync(string name)
    {
        Tell($"trace {name}");
        await page.GotoAsync($"{Url}/traces", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
        await page.Locator("fluent-search input").First.FillAsync(name);
        await page.Locator("tr", new() { HasText = name }).Last.Locator("td").Nth(1).ClickAsync();
    }

    /// <summary>Opens a resource's metric and waits for its chart.</summary>
    public async Task OpenMetricAsync(string resource, string metric)
    {
        Tell($"metric {metric}");
        await page.GotoAsync($"{Url}/metrics/resource/{resource}", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
        await page.Locator($"fluent-tree-item[title='{metric}']").ClickAsync();
        await page.Locator(".js-plotly-plot").First.WaitForAsync();
    }

    /// <summary>Opens a link of the page by a part of its address, in a page of its own.</summary>
    public async Task<ReportPage> OpenLinkAsync(string address)
    {
        Tell($"link {address}");
        var target = await page.Locator($"a[href*='{address}']").First.GetAttributeAsync("href");
        var opened = await page.Context.Browser!.NewPageAsync(new() { ViewportSize = new() { Width = 1280, Height = 900 } });
        opened.SetDefaultTimeout(StepLimitMilliseconds);
        await opened.GotoAsync(target!);
        return new ReportPage(opened);
    }

    /// <summary>Keeps a picture of the page among the build's artifacts.</summary>
    public Task ShootAsync(string name) => page.ScreenshotAsync(new() { Path = Path.Join(DashboardPrerequisites.Screenshots, $"{name}.png") });

    /// <summary>Into the test's output, so that a walk that stops tells at which step.</summary>
    private static void Tell(string step) => TestContext.Current.TestOutputHelper?.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss} {step}");

    private ILocator Row(string resource) => page.Locator("tr.resource-row").Filter(new()
    {
        Has = page.Locator(".resource-name-text", new() { HasTextRegex = new($"^\\s*{Regex.Escape(resource)}\\s*$", RegexOptions.None, TimeSpan.FromSeconds(1)) }),
    });
}

/// <summary>The dialog that asks for a command's arguments.</summary>
internal sealed class DashboardDialog(IPage page, ILocator dialog)
{
    /// <summary>Until the page has put the cursor into the first field: what is typed before that would land there.</summary>
    public async Task WaitAsync()
    {
        await dialog.Locator(".interaction-input input").First.WaitForAsync();
        await page.WaitForFunctionAsync("() => document.activeElement?.closest('.interaction-input')");
    }

    public async Task FillAsync(string label, string text)
    {
        await Field(label).Locator("input").FillAsync(text);

        // The page takes a value over when its field is left.
        await page.Keyboard.PressAsync("Tab");
    }

    /// <param name="option">How the option begins.</param>
    public async Task ChooseAsync(string label, string option)
    {
        await Field(label).Locator("fluent-select").ClickAsync();
        await Field(label).Locator("fluent-option", new() { HasText = option }).ClickAsync();
    }

    public Task ConfirmAsync() => dialog.Locator(".fluent-dialog-footer fluent-button.accent").ClickAsync();

    private ILocator Field(string label) => dialog.Locator(".interaction-input").Filter(new() { Has = page.Locator($"label[aria-label='{label}']") });
}
