namespace ClusterLlm.Prediction.Rows;

/// <summary>Which rows the model doesn't cover, each with its reason: shown beside every result.</summary>
internal static class Exclusions
{
    /// <summary>Why a row is neither fitted nor counted; <see langword="null"/> when it is.</summary>
    public static string? Reason(MeasurementRow row) =>
        Broken(row)
        ?? (RowReading.Family(row) is null ? $"engine {row.Engine} is not one that the planner places" : null)
        ?? (row.ModelKey.Length == 0 || !MeasuredModels.Knows(row.ModelKey) ? "the model's geometry is not published" : null)
        ?? (row.Chip.Length == 0 ? "the chip is not stated" : null);

    /// <summary>The same for a row that is predicted from the model alone.</summary>
    public static string? ReasonFromModel(MeasurementRow row) =>
        Reason(row) ?? (row.BitsPerWeight is null ? "bits per weight are not published" : null);

    // What its own source calls broken (performance.md section 10).
    private static string? Broken(MeasurementRow row) =>
        row.Notes.StartsWith("PATHOLOGY", StringComparison.Ordinal)
            ? "pathological set-up by the source's own account"
            : row.Notes.Contains("OUTLIER", StringComparison.Ordinal)
                ? "outlier by the source's own account (8-bit 3.7 times slower than 4-bit)"
                : row.Notes.Contains("exclude from Mac fits", StringComparison.Ordinal) || row.Source is "PRIMA" or "PETALS"
                    ? "not a cluster of Macs"
                    : null;
}
