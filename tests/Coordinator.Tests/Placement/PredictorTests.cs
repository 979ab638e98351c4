using System.Collections.Immutable;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Prediction.Fitting;
using ClusterLlm.Prediction.Replay;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Coordinator.Tests.Placement;

public sealed class PredictorTests
{
    private static readonly PredictorReport Report = PredictorReport.Replay(MeasurementTable.BuiltIn, SpeedConstantsFile.BuiltIn);

    public static TheoryData<string, double> Limits =>
        [.. PredictorReport.Groups.Where(group => group.Limit is not null).Select(group => (group.Group, group.Limit!.Value))];

    [Theory]
    [MemberData(nameof(Limits))]
    public void Replay_Group_MedianErrorIsBelowItsLimit(string group, double limitPercent)
    {
        Assert.True(Report.Count(group) > 0, $"{group} has no rows");
        Assert.True(Report.Median(group) < limitPercent, $"{group}: {Report.Median(group):0.00} %, limit {limitPercent} %");
    }

    [Fact]
    public void Replay_AllRows_AtLeastEightOfTenInsideTheBand() => Assert.InRange(Report.BandCoverage, 80, 100);

    [Fact]
    public void FoundingRows_WithoutAnyM4ProInTheFit_WithinFourPercent()
    {
        var founding = FoundingRows.Predict();

        Assert.Equal(3, founding.Length);
        Assert.All(founding, row => Assert.InRange(row.SpeedError, 0, 0.04));
    }

    [Fact]
    public void Constants_FittedAnew_AreTheCommittedOnes()
    {
        var fitted = ConstantsFit.Fit(MeasurementTable.BuiltIn);
        var committed = SpeedConstantsFile.BuiltIn;

        // Not to the last digit: processors round sums differently.
        AssertNear(committed.Decode, fitted.Decode);
        AssertNear(committed.Prefill, fitted.Prefill);
        AssertNear(committed.Hops, fitted.Hops);
        Assert.Equal(committed.Bands.Select(band => band.Class), fitted.Bands.Select(band => band.Class));
    }

    [Fact]
    public void HeldOut_BySourceAndChip_StaysNearTheLimits() =>
        Assert.All(HeldOutReport.Decode(), group =>
        {
            Assert.InRange(group.ByChip, 0, 12);
            Assert.InRange(group.BySource, 0, 12);
        });

    [Fact]
    public void Rows_EachIsCountedOrLeftOutWithAReason()
    {
        var counted = FitRow.Decode(MeasurementTable.BuiltIn).Concat(FitRow.Prefill(MeasurementTable.BuiltIn)).Select(row => row.Row.Id)
            .Concat(Report.Errors.Select(one => one.RowId)).ToHashSet();
        var leftOut = Report.Excluded.Select(one => one.RowId).ToHashSet();

        Assert.Empty(MeasurementTable.BuiltIn.Where(row => !counted.Contains(row.Id) && !leftOut.Contains(row.Id)).Select(row => row.Id));
    }

    private static void AssertNear(ImmutableSortedDictionary<string, double> expected, ImmutableSortedDictionary<string, double> actual)
    {
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.All(expected, pair => Assert.Equal(pair.Value, actual[pair.Key], 0.002));
    }
}
