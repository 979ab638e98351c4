using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Names that a mistyped one may have meant.</summary>
internal static class NearestNames
{
    /// <summary>The closest of <paramref name="known"/> by edit distance, nearest first; none that differs in more than half of its letters.</summary>
    public static ImmutableArray<string> Find(string name, IEnumerable<string> known, int count) =>
    [
        .. known.Distinct(StringComparer.Ordinal)
            .Select(candidate => (candidate, distance: Score(name, candidate)))
            .Where(pair => pair.distance <= Math.Max(2, Math.Max(name.Length, pair.candidate.Length) / 2))
            .OrderBy(pair => pair.distance)
            .ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .Take(count)
            .Select(pair => pair.candidate),
    ];

    /// <summary>Levenshtein distance, upper and lower case being equal.</summary>
    public static int Distance(string left, string right)
    {
        var row = new int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++)
        {
            row[column] = column;
        }

        for (var line = 1; line <= left.Length; line++)
        {
            var diagonal = row[0];
            row[0] = line;
            for (var column = 1; column <= right.Length; column++)
            {
                var same = char.ToUpperInvariant(left[line - 1]) == char.ToUpperInvariant(right[column - 1]);
                var replaced = diagonal + (same ? 0 : 1);
                diagonal = row[column];
                row[column] = Math.Min(replaced, 1 + Math.Min(row[column], row[column - 1]));
            }
        }

        return row[right.Length];
    }

    // A name that starts like the asked one ("qwen2.5" for "Qwen2.5-0.5B-Instruct-4bit") is near, however long the rest.
    private static int Score(string name, string candidate) =>
        name.Length >= 3 && candidate.Contains(name, StringComparison.OrdinalIgnoreCase) ? 1 : Distance(Cut(name), Cut(candidate));

    // Distance costs length × length: names from outside are cut before it is computed.
    private static string Cut(string name) => name.Length > 200 ? name[..200] : name;
}
