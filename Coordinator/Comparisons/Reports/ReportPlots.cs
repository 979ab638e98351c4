using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ScottPlot;

namespace ClusterLlm.Coordinator.Comparisons.Reports;

/// <summary>The plots of a report, as SVG.</summary>
internal static partial class ReportPlots
{
    private const int Width = 760;
    private const int Height = 400;

    private static readonly ScottPlot.Palettes.Category10 Palette = new();

    /// <summary>tok/s of all requests together against the number of requests; <see langword="null"/> when nothing was measured.</summary>
    public static string? Concurrency(ImmutableArray<CellFigures> figures)
    {
        if (figures.IsEmpty)
        {
            return null;
        }

        var workload = figures[0].Cell.Workload;
        var plot = new Plot();
        var counts = figures.Where(one => one.Cell.Workload == workload).Select(one => one.Cell.Concurrency).Distinct().Order().ToArray();
        var most = figures.Where(one => one.Cell.Workload == workload).Max(one => one.Together);
        foreach (var (index, series) in figures.Where(one => one.Cell.Workload == workload).GroupBy(one => one.Candidate.Candidate).Index())
        {
            var points = series.OrderBy(one => one.Cell.Concurrency).ToArray();
            // Side by side, so that intervals don't cover each other.
            double[] places = [.. points.Select(one => Math.Log2(one.Cell.Concurrency) + (0.02 * index))];
            var line = plot.Add.Scatter(places, points.Select(one => one.Together).ToArray());
            line.LegendText = series.Key.Label;
            line.Color = Palette.GetColor(index);
            line.MarkerSize = 7;
            line.LineWidth = series.Key.Stages.Length > 1 ? 2.5f : 1.2f;
            AddIntervals(plot, places, points, line.Color);
        }

        plot.Axes.Bottom.SetTicks([.. counts.Select(count => Math.Log2(count))], [.. counts.Select(count => FormattableString.Invariant($"{count}"))]);
        plot.Title($"Tokens per second of all requests together ({workload} tokens)", 15);
        plot.XLabel("requests at once");
        plot.YLabel("tok/s, with 95 % intervals");
        plot.Axes.AutoScale();
        // An interval of two or three scattered rounds may reach the sky: the values are what is looked at.
        plot.Axes.SetLimitsY(0, Math.Min(plot.Axes.GetLimits().Top, 1.5 * most));
        plot.ShowLegend(Edge.Right);
        return Svg(plot);
    }

    /// <summary>Measured against predicted, with the prediction's band; <see langword="null"/> without predictions.</summary>
    public static string? Prediction(ImmutableArray<CellFigures> figures)
    {
        var predicted = figures.Where(one => one.Predicted is { AggregateTokensPerSecond.Value: > 0 }).ToArray();
        if (predicted.Length == 0)
        {
            return null;
        }

        var plot = new Plot();
        var most = predicted.Max(one => Math.Max(one.Together, one.Predicted!.AggregateTokensPerSecond.Value)) * 1.1;
        var line = plot.Add.Line(0, 0, most, most);
        // Not dashed: the SVG canvas can't do that everywhere, and complains on standard error.
        (line.Color, line.LineWidth, line.LegendText) = (Colors.Gray, 1, "measured as predicted");
        foreach (var (index, group) in predicted.GroupBy(one => one.Candidate.Candidate).Index())
        {
            double[] across = [.. group.Select(one => one.Predicted!.AggregateTokensPerSecond.Value)];
            var points = plot.Add.ScatterPoints(across, group.Select(one => one.Together).ToArray());
            points.LegendText = group.Key.Label;
            points.Color = Palette.GetColor(index);
            points.MarkerSize = 8;
            foreach (var one in group)
            {
                var band = plot.Add.Line(one.Predicted!.AggregateTokensPerSecond.Low, one.Together, one.Predicted.AggregateTokensPerSecond.High, one.Together);
                (band.Color, band.LineWidth) = (points.Color.WithAlpha(0.35), 2);
            }
        }

        plot.Title("Predicted and measured tok/s, every cell", 15);
        plot.XLabel("predicted, with its 80 % band");
        plot.YLabel("measured");
        plot.Axes.SetLimits(0, most, 0, most);
        plot.ShowLegend(Edge.Right);
        return Svg(plot);
    }

    /// <summary>With the reader's own font: that of the machine which drew it may not be there.</summary>
    private static string Svg(Plot plot) => FontFamily().Replace(plot.GetSvgXml(Width + 240, Height), "font-family=\"system-ui, sans-serif\"");

    [GeneratedRegex("font-family=\"[^\"]*\"", RegexOptions.NonBacktracking)]
    private static partial Regex FontFamily();

    private static void AddIntervals(Plot plot, double[] places, CellFigures[] points, Color color)
    {
        for (var index = 0; index < points.Length; index++)
        {
            if (points[index].TogetherInterval is { } interval)
            {
                var bar = plot.Add.Line(places[index], interval.Low, places[index], interval.High);
                (bar.Color, bar.LineWidth) = (color, 1.5f);
            }
        }
    }
}
