using ClusterLlm.Prediction.Fitting;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Prediction.Replay;

/// <summary>Errors by group on rows that the fit has not seen.</summary>
internal static class HeldOutReport
{
    public static IEnumerable<(string Group, double ByChip, double BySource, int Rows)> Decode()
    {
        var rows = FitRow.Decode(MeasurementTable.BuiltIn).ToArray();
        var byChip = SpeedFit.HeldOut(rows, row => row.Row.Chip, FitPriors.Decode).ToArray();
        var bySource = SpeedFit.HeldOut(rows, row => row.Row.Source, FitPriors.Decode).ToArray();
        foreach (var (group, _) in PredictorReport.Groups)
        {
            var count = byChip.Count(one => PredictorReport.DecodeGroups(one.Row).Contains(group));
            if (count > 0)
            {
                yield return (group, Median(byChip, group), Median(bySource, group), count);
            }
        }
    }

    private static double Median(Predicted[] rows, string group) =>
        100 * Statistics.Median(rows.Where(one => PredictorReport.DecodeGroups(one.Row).Contains(group)).Select(one => one.SpeedError));
}
