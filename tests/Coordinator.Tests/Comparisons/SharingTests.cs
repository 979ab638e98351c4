using System.Text.Json;
using ClusterLlm.Coordinator.Comparisons;
using ClusterLlm.Coordinator.Comparisons.Candidates;
using ClusterLlm.Coordinator.Comparisons.Sharing;
using ClusterLlm.Coordinator.Comparisons.Storage;
using static ClusterLlm.Coordinator.Tests.Comparisons.ComparisonBuilders;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

public sealed class SharingTests
{
    private static readonly DateTimeOffset Day = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    // An M4 Pro reads 273 GB/s.
    private static readonly SharedMeasurement Row = new(
        SharedMeasurement.CurrentSchema, "anna", Day, "M4 Pro", 20, 64L << 30, 1, "macOS 26", "mlx", "mlx 0.32.4", "big", "4-bit", 80, 40_900_000_000, 128, 64, 1, 5.76, 70, 1.8, 5.6, 5, null);

    [Fact]
    public void Read_FasterThanTheMemory_IsRejectedWithTheNumbers()
    {
        var (rows, rejected) = MeasurementReader.Read($"{Line(Row)}\n{Line(Row with { DecodeTokensPerSecond = 6.9 })}");

        Assert.Equal([Row], rows);
        Assert.Equal(2, rejected.Single().Line);
        Assert.Contains("6.9 tok/s can't be: M4 Pro reads 273 GB/s, a token of big reads 40.9 GB, so 6.67 tok/s is the most", rejected.Single().Message);
    }

    [Theory]
    [InlineData("not json", "no measurement")]
    [InlineData("null", "null")]
    [InlineData("{\"schema\":\"other\"}", "other")]
    [InlineData("[]", "no measurement")]
    public void Read_Garbage_IsNamedByItsLine(string line, string words)
    {
        var (rows, rejected) = MeasurementReader.Read($"\n{line}\n{Line(Row)}\n");

        Assert.Single(rows);
        Assert.Equal(2, rejected.Single().Line);
        Assert.Contains(words, rejected.Single().Message);
    }

    [Fact]
    public void Read_RowsThatCanNotBeUsed_SayWhy()
    {
        SharedMeasurement[] bad =
        [
            Row with { Source = " " }, Row with { ArtificialLimits = "1 ms per layer" }, Row with { ActiveBytes = 0 }, Row with { DecodeTokensPerSecond = -1 }, Row with { Chip = "Z80" },
        ];

        var (rows, rejected) = MeasurementReader.Read(string.Join('\n', bad.Select(Line)));

        Assert.Empty(rows);
        Assert.Equal(bad.Length, rejected.Length);
        Assert.Contains("Z80", rejected[^1].Message);
    }

    [Fact]
    public void Calibrations_TwoModelsOfOneChip_GiveItsConstants()
    {
        // Three quarters of 273 GB/s and 0.1 ms for each layer.
        static double Speed(long bytes, int layers) => 1e3 / ((bytes / (0.75 * 273e9) * 1e3) + (layers * 0.1));
        var small = Row with { Model = "small", Layers = 28, ActiveBytes = 900_000_000, DecodeTokensPerSecond = Speed(900_000_000, 28), Source = "bert" };
        var big = Row with { DecodeTokensPerSecond = Speed(Row.ActiveBytes, 80) };

        var one = Assert.Single(ImportedCalibrations.Of([small, big]));

        Assert.Equal("chip:M4 PRO/20", one.Key);
        Assert.Equal((0.75, 0.1), (Math.Round(one.Calibration.BandwidthShare, 3), Math.Round(one.Calibration.LayerMilliseconds, 3)));
        Assert.Equal("bert, anna", one.Calibration.Source);
    }

    [Fact]
    public void Calibrations_OneModelOnly_GivesNone() => Assert.Empty(ImportedCalibrations.Of([Row, Row with { DecodeTokensPerSecond = 5.7 }]));

    [Fact]
    public void Of_Record_GivesALineForEachRankedCandidateThatComesBackTheSame()
    {
        var record = Record("cmp-1", Day, [Single("c1", "node-1"), Cluster("c2", CandidateState.Wrong, "node-1", "node-2")], [.. Rounds("c1", At(1), 20), .. Rounds("c2", At(1), 90)]);

        var row = Assert.Single(SharedMeasurement.Of(record, "me"));

        Assert.Equal(("me", 1, 6, 20.0), (row.Source, row.Nodes, row.Rounds, Math.Round(row.DecodeTokensPerSecond, 1)));
        Assert.Equal([row], MeasurementReader.Read(Line(row)).Rows);
    }

    [Theory]
    [InlineData(20, 15, true)]
    [InlineData(15, 20, false)]
    public void Regression_AnotherSpeedThanBefore_IsSaid(double before, double now, bool slower)
    {
        var earlier = Record("cmp-1", Day, [Single("c1", "node-1")], Rounds("c1", At(1), before));
        var later = Record("cmp-2", Day.AddDays(1), [Single("c7", "node-1")], Rounds("c7", At(1), now));

        var found = Assert.Single(RegressionCheck.Of(later, [earlier, later]));

        Assert.Equal((slower, "cmp-1", "c7"), (found.IsSlower, found.EarlierId, found.Candidate));
        Assert.Equal(now / before, found.Factor.Value, 0.01);
    }

    [Fact]
    public void Regression_SameSpeedOrOtherModel_SaysNothing()
    {
        var earlier = Record("cmp-1", Day, [Single("c1", "node-1")], Rounds("c1", At(1), 20));
        var same = Record("cmp-2", Day.AddDays(1), [Single("c1", "node-1")], Rounds("c1", At(1), 20.3));
        var other = same with { Model = same.Model! with { Fingerprint = "f2" }, Samples = [.. Rounds("c1", At(1), 5)] };

        Assert.Empty(RegressionCheck.Of(same, [earlier]));
        Assert.Empty(RegressionCheck.Of(other, [earlier]));
    }

    [Fact]
    public void AnswerCheck_OneSaysSomethingElse_IsWrong()
    {
        var odd = Cluster("c3", CandidateState.Waiting, "node-1", "node-2") with { Answer = "answes" };

        var all = AnswerCheck.Apply([Single("c1", "node-1"), Single("c2", "node-2"), odd]);

        Assert.Equal([CandidateState.Measured, CandidateState.Measured, CandidateState.Wrong], all.Select(one => one.State));
        Assert.Contains("\"answes\" where the reference (2 candidate(s)) says \"answer\"", all[2].Reason);
    }

    [Fact]
    public void AnswerCheck_OtherEngine_IsNotedAndNotWrong()
    {
        var mlx = Single("c2", "node-1");
        mlx = mlx with { Answer = "answes", Candidate = mlx.Candidate with { Engine = "mlx" } };

        var all = AnswerCheck.Apply([Single("c1", "node-1"), mlx]);

        Assert.DoesNotContain(all, one => one.State == CandidateState.Wrong);
    }

    private static string Line(SharedMeasurement row) => JsonSerializer.Serialize(row, ComparisonStore.Json);
}
