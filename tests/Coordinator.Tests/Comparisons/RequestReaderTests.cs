using System.Text;
using ClusterLlm.Coordinator.Comparisons;
using ClusterLlm.Coordinator.Comparisons.Commands;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

public sealed class RequestReaderTests
{
    [Fact]
    public void Read_ModelOnly_TakesTheDefaults()
    {
        var (spec, errors) = Read("""{"model":"demo"}""");

        Assert.Empty(errors);
        Assert.Equal(("demo", true, RepeatRule.Default, 1), (spec!.Model, spec.Cells.IsEmpty, spec.Repeats, spec.Seed));
    }

    [Fact]
    public void Read_WorkloadsAndConcurrency_CrossesOnlyTheFirst()
    {
        var (spec, _) = Read("""{"model":"demo","workloads":[{"promptTokens":10,"outputTokens":5},{"promptTokens":99,"outputTokens":5}],"concurrency":[4,1],"rounds":3}""");

        Assert.Equal("10+5 x1, 10+5 x4, 99+5 x1", string.Join(", ", spec!.Cells));
        Assert.Equal((3, 12), (spec.Repeats.LeastRounds, spec.Repeats.MostRounds));
    }

    [Theory]
    [InlineData("""{}""", "model", "missing")]
    [InlineData("""{"model":"d","modle":"x"}""", "modle", "near")]
    [InlineData("""{"model":"d","concurrency":0}""", "concurrency", "is 0")]
    [InlineData("""{"model":"d","concurrency":"many"}""", "concurrency", "many")]
    [InlineData("""{"model":"d","concurrency":[]}""", "concurrency", "[]")]
    [InlineData("""{"model":"d","workloads":[{"promptTokens":10}]}""", "workloads", "promptTokens")]
    [InlineData("""{"model":"d","workloads":7}""", "workloads", "7")]
    [InlineData("""{"model":"d","rounds":1}""", "rounds", "at least 2")]
    [InlineData("""{"model":"d","rounds":5,"mostRounds":4}""", "rounds", "4")]
    [InlineData("""{"model":"d","engines":"mlx"}""", "engines", "mlx")]
    [InlineData("""{"model":"d","concurrency":1,"concurrency":2}""", "body", "JSON")]
    [InlineData("""[1]""", "body", "object")]
    [InlineData("""{"model":""", "body", "JSON")]
    public void Read_BadField_IsNamedWithItsValue(string json, string field, string words)
    {
        var (spec, errors) = Read(json);

        Assert.Null(spec);
        Assert.Contains(words, string.Join(' ', errors[field]));
    }

    [Fact]
    public void CompareBody_Options_AreWhatTheReaderTakes()
    {
        var (body, _) = CompareBody.Of("demo", ["a"], ["mlx"], "10+5,99+5", "1,4", null, ["a=0-2", "b=3-7"], new RoundOptions(3, null, 7));

        var (spec, errors) = Read(body!.ToJsonString());

        Assert.Empty(errors);
        Assert.Equal("10+5 x1, 10+5 x4, 99+5 x1", string.Join(", ", spec!.Cells));
        Assert.Equal(TimeSpan.FromMinutes(7), spec.Repeats.TimeLimit);
        Assert.Equal([new ManualStage("a", 0, 3), new ManualStage("b", 3, 8)], spec.Layers);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a=3")]
    [InlineData("=0-3")]
    [InlineData("a=0-x")]
    [InlineData("a=0-2147483647")]
    public void CompareBody_BadStage_IsNamed(string stage)
    {
        var (body, problem) = CompareBody.Of("demo", [], [], null, null, null, ["b=0-2", stage], default);

        Assert.Null(body);
        Assert.Contains($"--layers has \"{stage}\"", problem);
    }

    [Fact]
    public void CompareBody_NodeTwice_IsNamed() =>
        Assert.Contains("b=3-4", CompareBody.Of("demo", [], [], null, null, null, ["b=0-2", "b=3-4"], default).Problem);

    [Theory]
    [InlineData("10-5", null, "10-5")]
    [InlineData(null, "1,many", "many")]
    public void CompareBody_BadOption_IsNamed(string? workloads, string? concurrency, string words) =>
        Assert.Contains(words, CompareBody.Of("demo", [], [], workloads, concurrency, null, [], default).Problem);

    private static (ComparisonSpec? Spec, IReadOnlyDictionary<string, string[]> Errors) Read(string json) => ComparisonRequestReader.Read(Encoding.UTF8.GetBytes(json));
}
