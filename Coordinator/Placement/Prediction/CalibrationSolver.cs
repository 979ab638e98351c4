namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>One short measurement on a machine.</summary>
/// <param name="WeightBytes">Read by a step.</param>
/// <param name="OtherMilliseconds">Of the step, for what the calibration doesn't replace: the cache.</param>
/// <param name="StepMilliseconds">Measured, per token.</param>
internal readonly record struct CalibrationPoint(double WeightBytes, int Layers, double OtherMilliseconds, double StepMilliseconds);

/// <summary>What two measurements say of a machine.</summary>
/// <param name="BandwidthShare">Share of the published bandwidth.</param>
/// <param name="Note">What had to be bent; <see langword="null"/> when the two agree with the model.</param>
internal readonly record struct CalibrationResult(double BandwidthShare, double LayerMilliseconds, string? Note);

/// <summary>
/// Solves <c>t − other = W / (e · bandwidth) + layers · c</c> for e and c from two models of different size on one machine: what a published
/// constant can't know of it.
/// </summary>
internal static class CalibrationSolver
{
    // Between nothing and a fifth more than published: figures outside are measuring errors.
    private const double LeastShare = 0.001;
    private const double MostShare = 1.2;

    /// <returns><see langword="null"/> when the two are of one shape, so that e and c can't be told apart.</returns>
    public static CalibrationResult? Solve(CalibrationPoint first, CalibrationPoint second, double bandwidthBytesPerSecond)
    {
        var firstRead = first.WeightBytes / bandwidthBytesPerSecond * 1e3;
        var secondRead = second.WeightBytes / bandwidthBytesPerSecond * 1e3;
        var firstTime = first.StepMilliseconds - first.OtherMilliseconds;
        var secondTime = second.StepMilliseconds - second.OtherMilliseconds;
        var determinant = (firstRead * second.Layers) - (secondRead * first.Layers);
        if (firstTime <= 0 || secondTime <= 0 || Math.Abs(determinant) < 0.05 * firstRead * second.Layers)
        {
            return null;
        }

        var inverse = ((firstTime * second.Layers) - (secondTime * first.Layers)) / determinant;
        var layer = ((firstRead * secondTime) - (secondRead * firstTime)) / determinant;
        if (layer < 0)
        {
            // The larger model decides: all its time goes to reading.
            var (read, time) = firstRead > secondRead ? (firstRead, firstTime) : (secondRead, secondTime);
            return new CalibrationResult(Clamp(read / time), 0, "The larger model was slower than the smaller one suggests; its whole time counts as reading.");
        }

        if (inverse <= 1 / MostShare)
        {
            var (read, time, layers) = firstRead > secondRead ? (firstRead, firstTime, first.Layers) : (secondRead, secondTime, second.Layers);
            return new CalibrationResult(MostShare, Math.Max(0, (time - (read / MostShare)) / layers), "The larger model was faster than the chip's bandwidth allows; the chip's figure may be too low.");
        }

        return new CalibrationResult(Clamp(1 / inverse), layer, null);
    }

    private static double Clamp(double share) => Math.Clamp(share, LeastShare, MostShare);
}
