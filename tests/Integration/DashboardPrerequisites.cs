namespace ClusterLlm.Integration;

/// <summary>What the dashboard's tests need of the machine, and where they keep things.</summary>
internal static class DashboardPrerequisites
{
    private static readonly string[] Browsers = ["chromium", "chromium-browser", "google-chrome"];

    /// <summary>Screenshots of the last run, by name.</summary>
    public static string Screenshots { get; } = Directory.CreateDirectory(Path.Join(Artifacts(), "screenshots")).FullName;

    /// <summary>Settings of a host with a dashboard on a free port; the package is 130 MB and kept between runs.</summary>
    public static string[] Settings { get; } =
        ["--AppHost:Dashboard=true", "--AppHost:DashboardPort=0", $"--AppHost:DashboardFolder={Path.Join(Artifacts(), "dashboard")}"];

    /// <summary>A browser of this machine; none is downloaded.</summary>
    public static string Browser()
    {
        var found = Browsers.Select(OnPath).FirstOrDefault(path => path is not null);
        Assert.SkipWhen(found is null, "No Chromium is on the PATH: install Debian's package chromium.");
        return found;
    }

    public static void SkipWithoutDashboard() => Assert.SkipWhen(OnPath("npm") is null, "npm is not on the PATH: install it to fetch the dashboard.");

    private static string? OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Join(folder, program))
        .FirstOrDefault(File.Exists);

    private static string Artifacts()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder.Parent is { } parent && folder.Name != "artifacts")
        {
            folder = parent;
        }

        return folder.FullName;
    }
}
