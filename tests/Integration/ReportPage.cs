using Microsoft.Playwright;

namespace ClusterLlm.Integration;

/// <summary>The report of a comparison in a browser.</summary>
internal sealed class ReportPage(IPage page)
{
    // Two rounds of a real model's candidates, on two cores.
    private const float ComparisonLimitMilliseconds = 240_000;

    /// <summary>The page loads itself again while the comparison runs.</summary>
    public Task WaitForVerdictAsync() => page.Locator(".verdict .head").WaitForAsync(new() { Timeout = ComparisonLimitMilliseconds });

    /// <summary>What the pictures show, of those that the browser could draw.</summary>
    public async Task<string[]> DrawnPicturesAsync() =>
        await page.EvaluateAsync<string[]>("() => [...document.images].filter(image => image.complete && image.naturalWidth > 100).map(image => image.alt)");

    /// <summary>Rows of each table, without its head, by its title.</summary>
    public async Task<Dictionary<string, int>> TablesAsync()
    {
        var tables = await page.EvaluateAsync<string[]>(
            "() => [...document.querySelectorAll('h2')].filter(title => title.parentElement.querySelector('h2 ~ .wide')).flatMap(title => { let next = title.nextElementSibling; while (next && next.tagName !== 'H2' && !next.classList.contains('wide')) next = next.nextElementSibling; return next?.classList.contains('wide') ? [`${next.querySelectorAll('tr').length - 1} ${title.textContent}`] : []; })");
        return tables.ToDictionary(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..], line => int.Parse(line[..line.IndexOf(' ', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture));
    }

    public Task ShootAsync(string name) => page.ScreenshotAsync(new() { Path = Path.Join(DashboardPrerequisites.Screenshots, $"{name}.png"), FullPage = true });
}
