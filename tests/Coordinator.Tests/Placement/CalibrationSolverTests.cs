using ClusterLlm.Coordinator.Placement.Prediction;
using FsCheck;
using FsCheck.Fluent;

namespace ClusterLlm.Coordinator.Tests.Placement;

public sealed class CalibrationSolverTests
{
    private const double Bandwidth = 273e9;

    [Fact]
    public void Solve_TwoExactMeasurements_FindsShareAndLayerCost() => Prop.ForAll(
        (from share in Gen.Choose(20, 115) from layer in Gen.Choose(0, 400) select (share / 100.0, layer / 1000.0)).ToArbitrary(),
        truth =>
        {
            var (share, layer) = truth;
            var solved = CalibrationSolver.Solve(Point(8e9, 48, share, layer), Point(41e9, 80, share, layer), Bandwidth);

            Assert.NotNull(solved);
            Assert.Equal(share, solved.Value.BandwidthShare, 1e-6);
            Assert.Equal(layer, solved.Value.LayerMilliseconds, 1e-6);
            return true;
        }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Solve_ModelsOfOneShape_CannotTellApart() =>
        Assert.Null(CalibrationSolver.Solve(Point(4e9, 32, 0.9, 0.06), Point(8e9, 64, 0.9, 0.06), Bandwidth));

    [Fact]
    public void Solve_LargeModelTooSlow_CountsItsTimeAsReadingAndSaysSo()
    {
        var solved = CalibrationSolver.Solve(new CalibrationPoint(8e9, 48, 0, 30), new CalibrationPoint(41e9, 80, 0, 400), Bandwidth)!.Value;

        Assert.Equal(0, solved.LayerMilliseconds);
        Assert.Equal(41e9 / Bandwidth * 1e3 / 400, solved.BandwidthShare, 1e-9);
        Assert.NotNull(solved.Note);
    }

    private static CalibrationPoint Point(double bytes, int layers, double share, double layer) =>
        new(bytes, layers, 1.5, 1.5 + (bytes / (share * Bandwidth) * 1e3) + (layers * layer));
}
