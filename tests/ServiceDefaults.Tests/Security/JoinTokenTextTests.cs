using ClusterLlm.ServiceDefaults.Security;
using FsCheck.Xunit;

namespace ClusterLlm.ServiceDefaults.Tests.Security;

public sealed class JoinTokenTextTests
{
    private static readonly JoinToken Token = new(
        "abcdefgh", "abcdefghijklmnopqrstuvwxyz234567", AuthorityFingerprint.From(Enumerable.Range(0, 32).Select(value => (byte)value).ToArray()), ["10.0.0.5:7421", "studio.local:7421"]);

    private static readonly string Text = JoinTokenText.Write(Token);

    [Fact]
    public void TryRead_Written_GivesTheSameToken()
    {
        Assert.True(JoinTokenText.TryRead($"  {Text.ToUpperInvariant()}\n", out var read, out _));
        Assert.Equal(Token with { Addresses = [] }, read with { Addresses = [] });
        Assert.Equal(Token.Addresses.AsEnumerable(), read.Addresses);
    }

    [Fact]
    public void TryRead_NoAddresses_GivesNone()
    {
        Assert.True(JoinTokenText.TryRead(JoinTokenText.Write(Token with { Addresses = [] }), out var read, out _));
        Assert.Empty(read.Addresses);
    }

    [Fact]
    public void TryRead_EveryBeginning_SaysCutOff()
    {
        for (var length = 1; length < Text.Length; length++)
        {
            Assert.False(JoinTokenText.TryRead(Text[..length], out _, out var problem));
            Assert.Contains("is cut off", problem);
        }
    }

    [Fact]
    public void TryRead_AnyCharacterChanged_IsRefusedAndNeverRepeated()
    {
        for (var position = 6; position < Text.Length; position++)
        {
            var changed = Text.ToCharArray();
            changed[position] = changed[position] == 'q' ? 'r' : 'q';
            Assert.False(JoinTokenText.TryRead(new string(changed), out _, out var problem));
            Assert.DoesNotContain(Token.Secret[..8], problem);
        }
    }

    [Theory]
    [InlineData(null, "is empty")]
    [InlineData(" ", "is empty")]
    [InlineData("hello", "is no join token")]
    [InlineData("cllm2-abc", "another version")]
    [InlineData("cllm1-abcdefgh-abc!", "position 19")]
    [InlineData("cllm1-abc-abc-abc-0-abc", "the join token's id has 3 characters instead of 8")]
    public void TryRead_BadText_SaysWhatIsWrong(string? text, string expected)
    {
        Assert.False(JoinTokenText.TryRead(text, out _, out var problem));
        Assert.Contains(expected, problem, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void TryRead_MoreBehindTheEnd_SaysSo()
    {
        Assert.False(JoinTokenText.TryRead(Text + "-abc", out _, out var problem));
        Assert.Contains("more behind its end", problem);
        Assert.False(JoinTokenText.TryRead(new string('a', 5000), out _, out problem));
        Assert.Contains("5000 characters", problem);
    }

    [Fact]
    public void ToString_Token_KeepsTheSecret() => Assert.DoesNotContain(Token.Secret, $"{Token}");

    [Property]
    public bool Base32_AnyBytes_ComeBack(byte[] bytes) => bytes.AsSpan().SequenceEqual(Base32.Decode(Base32.Encode(bytes)));

    [Property]
    public bool TryRead_AnyText_ReadsOrExplains(string text) => JoinTokenText.TryRead(text, out var token, out var problem) ? token is not null : problem.Length > 0;
}
