namespace ClusterLlm.ServiceDefaults;

/// <summary>How unlike two words are.</summary>
internal static class EditDistance
{
    /// <summary>Levenshtein's distance: fewest insertions, deletions and replacements of one character.</summary>
    /// <returns>0 (equal) to the longer word's length.</returns>
    public static int Between(string first, string second)
    {
        var row = new int[second.Length + 1];
        for (var column = 0; column <= second.Length; column++)
        {
            row[column] = column;
        }

        for (var i = 1; i <= first.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= second.Length; j++)
            {
                var replace = diagonal + (first[i - 1] == second[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replace, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[second.Length];
    }
}
