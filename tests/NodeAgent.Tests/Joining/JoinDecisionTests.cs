using System.Runtime.Versioning;
using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using ClusterLlm.Testing;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Tests.Joining;

public sealed class JoinDecisionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly AuthorityFingerprint Ours = AuthorityFingerprint.From(new byte[32]);
    private static readonly AuthorityFingerprint Theirs = AuthorityFingerprint.From([1, .. new byte[31]]);

    /// <param name="kept">none, good or ended.</param>
    /// <param name="token">none, spent, new or other (a new one of another cluster).</param>
    [Theory]
    [InlineData("none", false, "none", JoinStep.Wait)]
    [InlineData("none", false, "new", JoinStep.Enroll)]
    [InlineData("good", false, "none", JoinStep.UseCertificate)]
    [InlineData("good", false, "spent", JoinStep.UseCertificate)]
    [InlineData("good", false, "new", JoinStep.UseCertificate)]
    [InlineData("good", false, "other", JoinStep.Enroll)]
    [InlineData("good", true, "none", JoinStep.Wait)]
    [InlineData("good", true, "spent", JoinStep.Wait)]
    [InlineData("good", true, "new", JoinStep.Enroll)]
    [InlineData("ended", false, "spent", JoinStep.Wait)]
    [InlineData("ended", false, "new", JoinStep.Enroll)]
    public void Next_CertificateAndToken_IsUsedSpentOrAwaited(string kept, bool refused, string token, object expected)
    {
        var certificate = kept == "none" ? null : new KeptCertificate(Ours, Now.AddHours(kept == "good" ? 1 : -1), "spent");
        var read = token == "none" ? null : new JoinToken(token, "secret", token == "other" ? Theirs : Ours, []);

        Assert.Equal(expected, JoinDecision.Next(certificate, refused, read, Now));
    }

    [Fact]
    public void RenewAt_Lifetime_IsAfterTwoThirds() => Assert.Equal(Now.AddDays(20), CertificateRenewer.RenewAt(Now, Now.AddDays(30)));

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Read_TokenFile_MustBeThereItsOwnersAloneAndWhole()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        var folder = Directory.CreateTempSubdirectory("join-token-").FullName;
        var file = Path.Combine(folder, "token");
        var text = JoinTokenText.Write(new JoinToken("abcdefgh", new string('b', 32), Ours, ["10.0.0.5:7421"]));
        var source = new JoinTokenSource(Options.Create(new NodeOptions { JoinTokenFile = file }));

        Assert.Contains("is not there yet", source.Read().Problem);
        PrivateFiles.Write(file, text + "\n");
        Assert.Equal("abcdefgh", source.Read().Token?.Id);
        PrivateFiles.Write(file, text[..60]);
        Assert.Contains("is cut off", source.Read().Problem);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("can be read or changed by other users (mode 404)", source.Read().Problem);
        Assert.Contains("No join token is set", new JoinTokenSource(Options.Create(new NodeOptions())).Read().Problem);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Credentials_FolderWithWrongRights_IsRefusedAndNamed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        var home = Directory.CreateTempSubdirectory("agent-home-").FullName;
        TestAuthority.Shared.WriteCredentials(home, "node-1");
        var folder = CredentialFolder.Of(new ClusterHome(home), "node-1");
        Assert.Equal("node-1", folder.Read()?.Self.NodeId);
        Assert.Null(CredentialFolder.Of(new ClusterHome(home), "node-2").Read());

        var identity = Path.Combine(folder.Path, "identity.pem");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(identity));
        File.SetUnixFileMode(identity, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("identity.pem can be read or changed by other users", Assert.Throws<SettingsException>(() => folder.Read()).Message);
        PrivateFiles.Write(identity, "no certificate");
        Assert.Contains("can't be read", Assert.Throws<SettingsException>(() => folder.Read()).Message);
        Directory.Delete(home, recursive: true);
    }
}
