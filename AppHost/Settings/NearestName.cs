using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.AppHost.Settings;

/// <summary>Finds what a person probably meant to type.</summary>
internal static class NearestName
{
    /// <summary>The candidate with the smallest edit distance, or null when even that differs in more than half of its letters.</summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        var best = candidates
            .Select(candidate => (candidate, distance: EditDistance.Between(name.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .OrderBy(entry => entry.distance)
            .ThenBy(entry => entry.candidate, StringComparer.Ordinal)
            .FirstOrDefault();
        return best.candidate is not null && best.distance * 2 <= best.candidate.Length ? best.candidate : null;
    }
}
