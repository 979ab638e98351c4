using System.Net;
using System.Runtime.Versioning;
using ClusterLlm.Coordinator.Security;
using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.Coordinator.Tests.Security;

public sealed class SecurityPartsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Limiter_WrongSecrets_WaitLongerEachTimeAndAreForgotten()
    {
        var time = new FakeTimeProvider(Now);
        var limiter = new AttemptLimiter(time);
        for (var attempt = 0; attempt < AttemptLimiter.FreeAttempts; attempt++)
        {
            limiter.NoteFailure("10.0.0.9");
            Assert.Equal(TimeSpan.Zero, limiter.Wait("10.0.0.9"));
        }

        var waits = Enumerable.Range(0, 12).Select(_ =>
        {
            limiter.NoteFailure("10.0.0.9");
            return limiter.Wait("10.0.0.9").TotalSeconds;
        }).ToList();

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300], waits);
        Assert.Equal(TimeSpan.Zero, limiter.Wait("10.0.0.10"));
        limiter.NoteSuccess("10.0.0.9");
        Assert.Equal(TimeSpan.Zero, limiter.Wait("10.0.0.9"));
        limiter.NoteFailure("10.0.0.9");
        time.Advance(TimeSpan.FromMinutes(16));
        Assert.Equal(1, limiter.NoteFailure("10.0.0.9"));
    }

    [Fact]
    public void Limiter_ManyAddresses_KeepsNoMoreThanItMay()
    {
        var time = new FakeTimeProvider(Now);
        var limiter = new AttemptLimiter(time);
        for (var address = 0; address < 10_050; address++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            limiter.NoteFailure($"{address}");
        }

        Assert.Equal(2, limiter.NoteFailure("10049"));
        Assert.Equal(1, limiter.NoteFailure("0"));
    }

    [Theory]
    [InlineData(null, null, false, true)]
    [InlineData("mac-a", "mac-a", false, true)]
    [InlineData("mac-a", "mac-a", true, false)]
    [InlineData("mac-a", "mac-b", false, false)]
    public void Policy_NodeId_BelongsToItsMachine(string? holder, string? asking, bool alive, bool allowed) =>
        Assert.Equal(allowed, EnrollmentPolicy.Problem("node-1", asking ?? "", holder is null ? [] : [new("1", "node-1", holder, true, Now)], alive) is null);

    [Fact]
    public void Token_State_IsTheFirstThatHolds()
    {
        var token = new TokenEntry("id", Now, Now.AddHours(1), 0, 2, null, "", null);

        Assert.Equal("usable", token.State(Now));
        Assert.Equal("expired", token.State(Now.AddHours(1)));
        Assert.Equal("used", (token with { Uses = 2 }).State(Now.AddHours(2)));
        Assert.Equal("revoked", (token with { RevokedAt = Now }).State(Now));
        Assert.Contains("expired at 2026-11-24 13:00:00Z", token.Problem("n", Now.AddHours(3)));
        Assert.Null(token.Problem("n", Now));
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("30m", 1800)]
    [InlineData("1h", 3600)]
    [InlineData("1.5d", 129_600)]
    [InlineData("00:10:00", 600)]
    [InlineData("10", null)]
    [InlineData("h", null)]
    [InlineData("-1h", null)]
    [InlineData("999999999d", null)]
    [InlineData("", null)]
    public void Durations_Text_IsReadOrRefused(string text, int? seconds) => Assert.Equal(seconds, Durations.Parse(text)?.TotalSeconds is { } read ? (int?)read : null);

    [Fact]
    public void Addresses_OfAll_LeaveOutWhatOthersCannotReach()
    {
        IPAddress[] own = [IPAddress.Loopback, IPAddress.Parse("169.254.3.4"), IPAddress.Parse("fe80::1"), IPAddress.Parse("192.168.1.5"), IPAddress.Parse("10.0.0.5"), IPAddress.Parse("fd00::5")];

        Assert.Equal(["10.0.0.5:7421", "192.168.1.5:7421"], CoordinatorAddresses.Of(IPAddress.Any, 7421, own));
        Assert.Equal(["10.0.0.5:7421", "192.168.1.5:7421", "[fd00::5]:7421"], CoordinatorAddresses.Of(IPAddress.IPv6Any, 7421, own));
        Assert.Equal(["127.0.0.1:7421"], CoordinatorAddresses.Of(IPAddress.Loopback, 7421, own));
        Assert.Equal(["127.0.0.1:7421"], CoordinatorAddresses.Of(IPAddress.Any, 7421, []));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Authority_Folder_IsKeptMovedAsideForAnotherClusterAndRefusedWhenOthersCanRead()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        var home = new ClusterHome(Directory.CreateTempSubdirectory("authority-").FullName);
        var folder = ClusterAuthority.FolderIn(home);
        using var first = ClusterAuthority.OpenOrCreate(home, "aaaa", Now);
        using var again = ClusterAuthority.OpenOrCreate(home, "aaaa", Now);
        Assert.Equal(first.Fingerprint, again.Fingerprint);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder, "key.pem")));
        using var other = ClusterAuthority.OpenOrCreate(home, "bbbb", Now);
        Assert.NotEqual(first.Fingerprint, other.Fingerprint);
        Assert.Single(Directory.GetDirectories(home.Path, "authority-aaaa-*"));

        File.SetUnixFileMode(Path.Combine(folder, "key.pem"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Contains("can be read or changed by other users (mode 640)", Assert.Throws<SettingsException>(() => ClusterAuthority.OpenOrCreate(home, "bbbb", Now)).Message);
        File.SetUnixFileMode(Path.Combine(folder, "key.pem"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(Path.Combine(folder, "certificate.pem"), "nothing");
        Assert.Contains("can't be used", Assert.Throws<SettingsException>(() => ClusterAuthority.OpenOrCreate(home, "bbbb", Now)).Message);
        Directory.Delete(home.Path, recursive: true);
    }
}
