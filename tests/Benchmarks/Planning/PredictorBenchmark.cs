using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Prediction.Replay;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Benchmarks.Planning;

/// <summary>Replays published measurements and prints how far the predictor is off, by group.</summary>
internal static class PredictorBenchmark
{
    public static int Run(BenchmarkOptions options)
    {
        var rows = options.Value("rows") is { } path ? MeasurementTable.Load(path) : MeasurementTable.BuiltIn;
        var report = PredictorReport.Replay(rows, SpeedConstantsFile.BuiltIn);
        PrintGroups(report);
        PrintFounding();
        if (options.Value("rows") is null)
        {
            PrintHeldOut();
        }

        Console.WriteLine();
        Console.WriteLine("Left out:");
        foreach (var reason in report.Excluded.GroupBy(one => one.Reason).OrderByDescending(group => group.Count()))
        {
            Console.WriteLine($"  {reason.Key}: {string.Join(", ", reason.Select(one => one.RowId))}");
        }

        options.WriteJson(Figures(report));
        return 0;
    }

    private static Dictionary<string, double> Figures(PredictorReport report)
    {
        var figures = new Dictionary<string, double>();
        foreach (var (group, _) in PredictorReport.Groups)
        {
            figures[group] = Math.Round(report.Median(group), 2);
            figures[$"{group} n"] = report.Count(group);
        }

        figures["band 80 coverage"] = Math.Round(report.BandCoverage, 1);
        figures["band 80 coverage n"] = report.BandRows;
        return figures;
    }

    private static void PrintGroups(PredictorReport report)
    {
        Console.WriteLine("Absolute error of tok/s in percent (constants fitted on these rows unless --rows names others)");
        Console.WriteLine($"{"group",-24}{"rows",6}{"median",9}{"limit",8}{"worst",9}  worst row");
        foreach (var (group, limit) in PredictorReport.Groups.Where(group => report.Count(group.Group) > 0))
        {
            var worst = report.Errors.Where(one => one.Group == group).MaxBy(one => one.Error)!;
            Console.WriteLine(FormattableString.Invariant(
                $"{group,-24}{report.Count(group),6}{report.Median(group),8:0.0}%{Limit(limit),8}{100 * worst.Error,8:0.0}%  {worst.RowId}: measured {worst.Measured:0.##}, predicted {worst.PredictedSpeed:0.##} tok/s"));
        }

        Console.WriteLine(FormattableString.Invariant($"inside the 80 % band: {report.BandCoverage:0.0} % of {report.BandRows} rows"));
    }

    private static string Limit(double? percent) => percent is { } value ? FormattableString.Invariant($"{value:0}%") : "-";

    private static void PrintFounding()
    {
        Console.WriteLine();
        Console.WriteLine("The founding measurement (M4 Pro 64 GB), by a fit that has seen no M4 Pro:");
        foreach (var one in FoundingRows.Predict())
        {
            Console.WriteLine(FormattableString.Invariant(
                $"  {one.Row.Row.ModelKey,-14} measured {1e3 / one.Row.MeasuredMilliseconds:0.00}, predicted {1e3 / one.Milliseconds:0.00} tok/s ({100 * (one.Ratio > 0 ? (1 / one.Ratio) - 1 : 0):+0.0;-0.0} %)"));
        }
    }

    private static void PrintHeldOut()
    {
        Console.WriteLine();
        Console.WriteLine("Held out: median error of decode rows predicted by fits that have not seen their chip / their source");
        foreach (var (group, chip, source, rows) in HeldOutReport.Decode())
        {
            Console.WriteLine(FormattableString.Invariant($"  {group,-24}{rows,5} rows{chip,8:0.0}% /{source,6:0.0}%"));
        }
    }
}
