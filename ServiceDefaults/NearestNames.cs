using System.Collections.Immutable;

namespace ClusterLlm.ServiceDefaults;

/// <summary>Names that a mistyped one may have meant.</summary>
internal static class NearestNames
{
    /// <summary>The closest of <paramref name="known"/> by edit distance in upper case, nearest first; none that differs in more than half of its letters.</summary>
    public static ImmutableArray<string> Find(string name, IEnumerable<string> known, int count) =>
    [
        .. known.Distinct(StringComparer.Ordinal)
            .Select(candidate => (candidate, distance: Score(name, candidate)))
            .Where(pair => pair.distance <= Math.Max(2, Math.Max(name.Length, pair.candidate.Length) / 2))
            .OrderBy(pair => pair.distance)
            .ThenBy(pair => pair.candidate.Length)
            .ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .Take(count)
            .Select(pair => pair.candidate),
    ];

    // A name that starts like the asked one ("qwen2.5" for "Qwen2.5-0.5B-Instruct-4bit") is near, however long the rest.
    private static int Score(string name, string candidate) =>
        name.Length >= 3 && candidate.Contains(name, StringComparison.OrdinalIgnoreCase) ? 1 : EditDistance.Between(Cut(name), Cut(candidate));

    // Distance costs length × length: names from outside are cut before it is computed.
    private static string Cut(string name) => (name.Length > 200 ? name[..200] : name).ToUpperInvariant();
}
