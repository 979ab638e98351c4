namespace ClusterLlm.Integration;

/// <summary>What the dashboard's tests need of the machine, and where they keep things.</summary>
internal static class DashboardPrerequisites
{
    public const string Chromium = "/usr/bin/chromium";

    /// <summary>Kept between runs: the package is 130 MB.</summary>
    public static string DashboardFolder { get; } = Path.Join(Artifacts(), "dashboard");

    public static string Screenshots { get; } = Directory.CreateDirectory(Path.Join(Artifacts(), "screenshots")).FullName;

    public static void SkipWithoutDashboard() => Assert.SkipUnless(
        Directory.Exists(DashboardFolder) || OnPath("npm"),
        "npm is not on the PATH: install it to fetch the dashboard.");

    public static void SkipWithoutBrowser() => Assert.SkipUnless(File.Exists(Chromium), $"{Chromium} is not there: install Debian's package chromium.");

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Join(folder, program)));

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
