using ClusterLlm.NodeAgent.Hardware.Power;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Power;

public sealed class PowermetricsOutputTests
{
    [Theory]
    [InlineData("powermetrics_m1max_summary.txt", 3.669)]
    [InlineData("powermetrics_m4max_15.5_excerpt.txt", 0.983)]
    [InlineData("powermetrics_m2air_26_two_samples_excerpt.txt", 1.172, 0.445)]
    public void Add_RecordedOutput_GivesTheSumOfEachSample(string sample, params double[] watts) =>
        Assert.Equal(watts, Read(Samples.Read(sample).Split('\n')).Select(value => Math.Round(value, 6)));

    [Fact]
    public void Add_OutputWithoutASum_AddsThePartsWhenTheNextSampleBegins()
    {
        string[] lines = [.. Samples.Read("powermetrics_m1ultra_excerpt.txt").Split('\n'), "*** Sampled system activity (Fri Sep 11 13:41:47 2026 -0700) (1010.09ms elapsed) ***"];

        Assert.Equal([5.386], Read(lines).Select(value => Math.Round(value, 6)));
    }

    [Theory]
    [InlineData("CPU Power: many mW")]
    [InlineData("E-Cluster Power: 12 mW")]
    [InlineData("powermetrics must be invoked as the superuser")]
    [InlineData("*** Sampled system activity (now) ***")]
    public void Add_OtherLines_GiveNothing(string line) => Assert.Empty(Read([line, line]));

    private static double[] Read(IEnumerable<string> lines)
    {
        var output = new PowermetricsOutput();
        return [.. lines.Select(line => output.Add(line.TrimEnd('\r'))).OfType<double>()];
    }
}
