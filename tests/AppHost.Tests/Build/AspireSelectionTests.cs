namespace ClusterLlm.AppHost.Tests.Build;

/// <summary>Which host a restore chooses, by what the package source has. Each restore is a real one.</summary>
[Trait("category", "slow")]
public sealed class AspireSelectionTests
{
    [Fact(Timeout = 300_000)]
    public async Task Restore_SourceHasEverything_IsFullAndIsNotAskedAgain()
    {
        var token = TestContext.Current.CancellationToken;
        using var sandbox = SelectionSandbox.WithPackages(runtime: true);

        var first = await sandbox.RestoreAsync(token);
        Assert.True(first.ExitCode == 0, first.Output);
        Assert.Equal(("full", $"the packages of Aspire {SelectionSandbox.Version} restore"), (sandbox.Verdict, sandbox.Reason));
        Assert.True(sandbox.References(SelectionSandbox.Dashboard));

        var asked = File.GetLastWriteTimeUtc(sandbox.File);
        var second = await sandbox.RestoreAsync(token);
        Assert.True(second.ExitCode == 0, second.Output);
        Assert.Equal(asked, File.GetLastWriteTimeUtc(sandbox.File));
    }

    [Fact(Timeout = 300_000)]
    public async Task Restore_SourceHasHostingOnly_IsNoneUnlessAPersonAsksForIt()
    {
        var token = TestContext.Current.CancellationToken;
        using var sandbox = SelectionSandbox.WithPackages(runtime: false);

        var chosen = await sandbox.RestoreAsync(token);
        Assert.True(chosen.ExitCode == 0, chosen.Output);
        Assert.Equal(("none", $"the package sources do not carry all packages of Aspire {SelectionSandbox.Version}"), (sandbox.Verdict, sandbox.Reason));
        Assert.False(sandbox.References("Aspire.Hosting.AppHost"));
        Assert.InRange(sandbox.Until - DateTimeOffset.UnixEpoch, TimeSpan.FromHours(1), TimeProvider.System.GetUtcNow().AddDays(1) - DateTimeOffset.UnixEpoch);

        var asked = await sandbox.RestoreAsync(token, "AspireHosting=true");
        Assert.True(asked.ExitCode == 0, asked.Output);
        Assert.Equal("hosting", sandbox.Verdict);
        Assert.True(sandbox.References("Aspire.Hosting.AppHost"));
        Assert.False(sandbox.References(SelectionSandbox.Dashboard));
    }

    [Fact(Timeout = 300_000)]
    public async Task Restore_SwitchedOff_IsNoneWhateverTheSourceHas()
    {
        using var sandbox = SelectionSandbox.WithPackages(runtime: true);

        var restore = await sandbox.RestoreAsync(TestContext.Current.CancellationToken, "AspireHosting=false");

        Assert.True(restore.ExitCode == 0, restore.Output);
        Assert.Equal(("none", "switched off with AspireHosting=false"), (sandbox.Verdict, sandbox.Reason));
        Assert.False(sandbox.References("Aspire.Hosting.AppHost"));
    }

    [Fact(Timeout = 300_000)]
    public async Task Restore_Offline_IsNoneAndAskedAgainWithinTheHour()
    {
        using var sandbox = SelectionSandbox.WithSource("http://127.0.0.1:1/index.json");

        var restore = await sandbox.RestoreAsync(TestContext.Current.CancellationToken);

        Assert.True(restore.ExitCode == 0, restore.Output);
        Assert.Equal(("none", $"a package source could not be reached to ask for Aspire {SelectionSandbox.Version}"), (sandbox.Verdict, sandbox.Reason));
        Assert.InRange(sandbox.Until, TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddHours(1));
    }

    [Fact(Timeout = 300_000)]
    public async Task Restore_AskedForWhatIsNotThere_NamesThePackage()
    {
        using var sandbox = SelectionSandbox.WithSource("feed");

        var restore = await sandbox.RestoreAsync(TestContext.Current.CancellationToken, "AspireHosting=true");

        Assert.NotEqual(0, restore.ExitCode);
        Assert.Contains("Aspire.Hosting.AppHost", restore.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task Restore_UnknownWish_SaysWhatThereIs()
    {
        using var sandbox = SelectionSandbox.WithPackages(runtime: true);

        var restore = await sandbox.RestoreAsync(TestContext.Current.CancellationToken, "AspireHosting=perhaps");

        Assert.NotEqual(0, restore.ExitCode);
        Assert.Contains("AspireHosting is 'perhaps'; use auto, true, false, or ask", restore.Output, StringComparison.Ordinal);
    }
}
