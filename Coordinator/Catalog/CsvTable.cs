using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>A CSV file as rows of named text.</summary>
internal static class CsvTable
{
    private static readonly CsvConfiguration Settings = new(CultureInfo.InvariantCulture) { MissingFieldFound = null, BadDataFound = null };

    /// <exception cref="InvalidDataException">A column of <paramref name="required"/> is missing.</exception>
    public static List<Dictionary<string, string>> Read(TextReader text, string name, params ReadOnlySpan<string> required)
    {
        using var csv = new CsvReader(text, Settings);
        if (!csv.Read() || !csv.ReadHeader())
        {
            throw new InvalidDataException($"{name} is empty; it needs a header line.");
        }

        var header = csv.HeaderRecord!;
        foreach (var column in required)
        {
            if (!header.Contains(column, StringComparer.Ordinal))
            {
                throw new InvalidDataException($"{name} has no column {column}; its columns are {string.Join(", ", header)}.");
            }
        }

        var rows = new List<Dictionary<string, string>>();
        while (csv.Read())
        {
            rows.Add(header.ToDictionary(column => column, column => csv.GetField(column) ?? "", StringComparer.Ordinal));
        }

        return rows;
    }

    /// <summary>The number in a field; a trailing <c>~</c> (approximate) is dropped. <see langword="null"/> when the field is empty or no number.</summary>
    public static double? Number(Dictionary<string, string> row, string column) =>
        row.TryGetValue(column, out var text)
            && double.TryParse(text.TrimEnd('~'), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number)
                ? number
                : null;
}
