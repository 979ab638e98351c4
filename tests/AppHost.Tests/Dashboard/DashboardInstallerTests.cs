using ClusterLlm.AppHost.Dashboard;

namespace ClusterLlm.AppHost.Tests.Dashboard;

/// <summary>The installer with an npm that is a script of the test.</summary>
public sealed class DashboardInstallerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("clusterllm-dashboard-").FullName;

    [Fact]
    public async Task EnsureAsync_NpmFails_TriesThreeTimesAndSaysWhatToDo()
    {
        var npm = Script("echo attempt >> \"$(dirname \"$0\")/attempts\"; echo 'npm error network is down' >&2; exit 1");

        var failure = await Assert.ThrowsAsync<DashboardUnavailableException>(() => InstallAsync(npm));

        Assert.Contains("network is down", failure.Message);
        Assert.Contains("AppHost:Dashboard=false", failure.Message);
        Assert.Equal(3, File.ReadAllLines(Path.Join(_folder, "attempts")).Length);
    }

    [Fact]
    public async Task EnsureAsync_NpmIsMissing_SaysWhatToDo()
    {
        var failure = await Assert.ThrowsAsync<DashboardUnavailableException>(() => InstallAsync(Path.Join(_folder, "no-npm")));

        Assert.Contains("AppHost:Dashboard=false", failure.Message);
    }

    [Fact]
    public async Task EnsureAsync_DownloadIsCorrupt_IsRemoved()
    {
        var npm = Script($"mkdir -p \"$3/node_modules/{DashboardPackage.Name}/bin\"; echo broken > \"$3/node_modules/{DashboardPackage.Name}/bin/aspire\"");

        await Assert.ThrowsAsync<DashboardUnavailableException>(() => InstallAsync(npm));

        Assert.False(Directory.Exists(Path.Join(_folder, "cache", DashboardPackage.Version)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<string> InstallAsync(string npm) =>
        new DashboardInstaller(Path.Join(_folder, "cache"), TimeProvider.System) { Npm = npm }.EnsureAsync(_ => { }, TestContext.Current.CancellationToken);

    private string Script(string text)
    {
        var path = Path.Join(_folder, "npm");
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return path;
    }
}
