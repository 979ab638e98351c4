using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Comparisons.Storage;

namespace ClusterLlm.Coordinator.Comparisons.Sharing;

/// <summary>A line that is not taken, and why.</summary>
internal sealed record RejectedLine(int Line, string Message);

/// <summary>Reads shared measurements from JSON Lines. Pure: a bad line is named and the others are taken.</summary>
internal static class MeasurementReader
{
    private const int MostShown = 80;

    public static (ImmutableArray<SharedMeasurement> Rows, ImmutableArray<RejectedLine> Rejected) Read(string text)
    {
        var rows = ImmutableArray.CreateBuilder<SharedMeasurement>();
        var rejected = ImmutableArray.CreateBuilder<RejectedLine>();
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            var (row, problem) = ReadLine(line);
            if (row is not null && (problem = Problem(row)) is null)
            {
                rows.Add(row);
            }
            else
            {
                rejected.Add(new RejectedLine(number, problem!));
            }
        }

        return (rows.ToImmutable(), rejected.ToImmutable());
    }

    private static (SharedMeasurement? Row, string? Problem) ReadLine(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<SharedMeasurement>(line, ComparisonStore.Json) is { } row ? (row, null) : (null, "The line is null.");
        }
        catch (JsonException e)
        {
            return (null, $"The line is no measurement ({e.Message}): {(line.Length > MostShown ? $"{line[..MostShown]}…" : line)}");
        }
    }

    /// <summary>Why a row can't be believed or used; <see langword="null"/> when it can.</summary>
    private static string? Problem(SharedMeasurement row) =>
        row.Schema != SharedMeasurement.CurrentSchema ? $"The schema is \"{row.Schema}\"; this version reads \"{SharedMeasurement.CurrentSchema}\"."
        : string.IsNullOrWhiteSpace(row.Source) || string.IsNullOrWhiteSpace(row.Chip) || string.IsNullOrWhiteSpace(row.Engine) || string.IsNullOrWhiteSpace(row.Model)
            ? "source, chip, engine and model must be given: a figure without them can't be compared."
        : row.ArtificialLimits is not null ? $"It was measured with artificial limits ({row.ArtificialLimits}); such figures are for tests only."
        : row.Layers < 1 || row.ActiveBytes < 1 || row.Nodes < 1 || row.Concurrency < 1 || row.PromptTokens < 1
            ? $"layers {row.Layers}, activeBytes {row.ActiveBytes}, nodes {row.Nodes}, concurrency {row.Concurrency} and promptTokens {row.PromptTokens} must all be 1 or more."
        : !(row.DecodeTokensPerSecond > 0 && double.IsFinite(row.DecodeTokensPerSecond)) ? $"decodeTokensPerSecond is {row.DecodeTokensPerSecond}; it must be above 0."
        : row.Nodes == 1 ? Bound(row)
        : null;

    /// <summary>A token of one request reads every active weight once: nothing decodes faster than bandwidth / active bytes.</summary>
    private static string? Bound(SharedMeasurement row)
    {
        if (!ChipCatalog.BuiltIn.Knows(row.Chip))
        {
            return $"The chip \"{row.Chip}\" is not in the catalogue, so the figure can't be checked against its bandwidth. GET /api/catalog/chips lists those that are.";
        }

        var bandwidth = ChipCatalog.BuiltIn.Find(row.Chip, row.GpuCores, 0).BandwidthBytesPerSecond;
        var most = bandwidth / row.ActiveBytes;
        return row.DecodeTokensPerSecond > most
            ? FormattableString.Invariant(
                $"{row.DecodeTokensPerSecond:0.##} tok/s can't be: {row.Chip} reads {bandwidth / 1e9:0.#} GB/s, a token of {row.Model} reads {row.ActiveBytes / 1e9:0.###} GB, so {most:0.##} tok/s is the most that one request can decode at.")
            : null;
    }
}
