namespace ClusterLlm.AppHost.Cluster;

/// <summary>Names that the dashboard and DCP take: ASCII letters, digits and single hyphens, beginning with a letter, at most 64 characters.</summary>
internal static class ResourceName
{
    private const int MostCharacters = 64;

    public static string From(string text)
    {
        var parts = new string([.. text.ToLowerInvariant().Select(character => char.IsAsciiLetterOrDigit(character) ? character : '-')])
            .Split('-', StringSplitOptions.RemoveEmptyEntries);
        var name = string.Join('-', parts);
        if (name.Length == 0 || !char.IsAsciiLetter(name[0]))
        {
            name = $"x-{name}";
        }

        return (name.Length > MostCharacters ? name[..MostCharacters] : name).TrimEnd('-');
    }
}
