using System.Diagnostics;
using System.Globalization;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.Benchmarks.Start;

/// <summary>What the selection of the host costs an up-to-date <c>dotnet build AppHost</c>: pairs of builds, with it and without, by the wall clock.</summary>
internal static class BuildBenchmark
{
    private const double LimitSeconds = 1;
    private const int DefaultPairs = 5;

    /// <summary>MSBuild takes the last target of a name; this file is read after the project.</summary>
    private const string WithoutSelection = """<Project><Target Name="SelectAspire" /><Target Name="ReadAspireSelectionKey" /></Project>""";

    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var project = Path.Join(Path.GetDirectoryName(BuildFacts.Read().SamplesFolder), "AppHost");
        var pairs = int.Parse(options.Value("pairs") ?? DefaultPairs.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var figures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        var empty = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(empty, WithoutSelection);
            var without = $"-p:CustomAfterMicrosoftCommonTargets={empty}";
            foreach (var (name, first) in new[] { ("dotnet build", Array.Empty<string>()), ("dotnet build --no-restore", ["--no-restore"]) })
            {
                await ComparePairsAsync(name, project, first, without, pairs, figures);
            }
        }
        finally
        {
            File.Delete(empty);
        }

        options.WriteJson(figures);
        return 0;
    }

    private static async Task ComparePairsAsync(string name, string project, string[] arguments, string without, int pairs, SortedDictionary<string, double> figures)
    {
        // The first of each brings everything up to date and into the file cache.
        await BuildAsync(project, arguments);
        await BuildAsync(project, [.. arguments, without]);
        var (with, bare, grown) = (new List<double>(), new List<double>(), new List<double>());
        for (var pair = 0; pair < pairs; pair++)
        {
            // Which goes first changes, so that a drift of the machine does not count for one of them.
            var early = pair % 2 == 0 ? await BuildAsync(project, arguments) : await BuildAsync(project, [.. arguments, without]);
            var late = pair % 2 == 0 ? await BuildAsync(project, [.. arguments, without]) : await BuildAsync(project, arguments);
            with.Add(pair % 2 == 0 ? early : late);
            bare.Add(pair % 2 == 0 ? late : early);
            grown.Add(with[^1] - bare[^1]);
        }

        var growth = figures[$"{name} growth s"] = Median(grown);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}, up to date, median of {pairs} pairs: {Median(with):0.00} s with the selection, {Median(bare):0.00} s without; the pairs differ by {growth:0.00} s ({grown.Min():0.00} to {grown.Max():0.00}), limit {LimitSeconds:0} s"));
    }

    private static async Task<double> BuildAsync(string project, string[] arguments)
    {
        var clock = Stopwatch.StartNew();
        using var build = Process.Start(new ProcessStartInfo("dotnet", ["build", project, "-c", "Release", "-v", "q", "-nologo", .. arguments]) { RedirectStandardOutput = true })!;
        var output = await build.StandardOutput.ReadToEndAsync();
        await build.WaitForExitAsync();
        return build.ExitCode == 0 ? clock.Elapsed.TotalSeconds : throw new InvalidOperationException($"The build failed:{Environment.NewLine}{output}");
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
