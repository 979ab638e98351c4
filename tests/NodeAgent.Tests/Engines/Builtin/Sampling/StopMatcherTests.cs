using ClusterLlm.NodeAgent.Engines.Builtin.Sampling;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin.Sampling;

public sealed class StopMatcherTests
{
    [Fact]
    public void Append_StopAcrossPieces_LetsNoPartOut()
    {
        var matcher = new StopMatcher(["\n\nUser"]);
        Assert.Equal("Hi", matcher.Append("Hi\n"));
        Assert.Equal("", matcher.Append("\nUs"));
        Assert.Equal("", matcher.Append("er: what"));
        Assert.True(matcher.IsStopped);
        Assert.Equal("", matcher.Finish());
    }

    [Fact]
    public void Append_BeginOfStopThatGoesOnOtherwise_LetsItOut()
    {
        var matcher = new StopMatcher(["abc"]);
        Assert.Equal("x", matcher.Append("xab"));
        Assert.Equal("abd", matcher.Append("d"));
        Assert.False(matcher.IsStopped);
    }

    [Fact]
    public void Finish_HeldText_ComesOut()
    {
        var matcher = new StopMatcher(["stop"]);
        Assert.Equal("a ", matcher.Append("a sto"));
        Assert.Equal("sto", matcher.Finish());
    }

    [Fact]
    public void Append_SeveralStops_EndsAtTheFirstInTheText()
    {
        var matcher = new StopMatcher(["later", "now"]);
        Assert.Equal("a ", matcher.Append("a now later"));
        Assert.True(matcher.IsStopped);
    }

    [Property]
    public Property Append_AnyPieces_EqualsSearchInWholeText()
    {
        var letters = Gen.Elements('a', 'b', 'c');
        var words = letters.ArrayOf().Select(characters => new string(characters));
        var cases = from pieces in words.ArrayOf() from stop in words.Where(word => word.Length > 0) select (pieces, stop);
        return Prop.ForAll(cases.ToArbitrary(), test =>
        {
            var matcher = new StopMatcher([test.stop]);
            var streamed = string.Concat(test.pieces.Select(matcher.Append)) + matcher.Finish();
            var whole = string.Concat(test.pieces);
            var at = whole.IndexOf(test.stop, StringComparison.Ordinal);
            return streamed == (at < 0 ? whole : whole[..at]) && matcher.IsStopped == (at >= 0);
        });
    }
}
