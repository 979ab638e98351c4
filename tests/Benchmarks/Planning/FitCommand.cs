using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Prediction.Fitting;
using ClusterLlm.Prediction.Rows;

namespace ClusterLlm.Benchmarks.Planning;

/// <summary>Fits the predictor's constants anew. <c>--out FILE</c> writes them (Coordinator/Catalog/Data/speed-constants.json), else they are printed.</summary>
internal static class FitCommand
{
    public static int Run(BenchmarkOptions options)
    {
        var rows = options.Value("rows") is { } path ? MeasurementTable.Load(path) : MeasurementTable.BuiltIn;
        var json = SpeedConstantsFile.Write(ConstantsFit.Fit(rows));
        if (options.Value("out") is { } file)
        {
            File.WriteAllText(file, json);
        }
        else
        {
            Console.Write(json);
        }

        return 0;
    }
}
