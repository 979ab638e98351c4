using Microsoft.Extensions.Configuration;

namespace ClusterLlm.ServiceDefaults;

/// <summary>A key that no options class has.</summary>
/// <param name="Key">In full, for example <c>Node:Adress</c>.</param>
/// <param name="Nearest">The known key that it resembles; <see langword="null"/> when none does.</param>
public sealed record UnknownSetting(string Key, string? Nearest)
{
    public override string ToString() =>
        Nearest is null ? $"The setting '{Key}' is not known." : $"The setting '{Key}' is not known; did you mean '{Nearest}'?";
}

/// <summary>Finds misspelt settings: a key that binds to nothing would otherwise be ignored without a word.</summary>
public static class SettingsGuard
{
    /// <summary>All unknown keys in the sections named by <paramref name="sections"/>; other sections are not looked at.</summary>
    /// <param name="sections">Per section (for example <c>Node</c>) the options type that it binds to.</param>
    public static IReadOnlyList<UnknownSetting> FindUnknown(IConfiguration configuration, IReadOnlyDictionary<string, Type> sections)
    {
        var unknown = new List<UnknownSetting>();
        foreach (var (name, type) in sections.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Collect(configuration.GetSection(name), type, unknown);
        }

        return unknown;
    }

    private static void Collect(IConfigurationSection section, Type type, List<UnknownSetting> unknown)
    {
        var known = type.GetProperties().ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (!known.TryGetValue(child.Key, out var property))
            {
                unknown.Add(new(child.Path, NearestNames.Find(child.Key, known.Keys, 1) is [var near] ? $"{section.Path}:{near}" : null));
            }
            else if (IsSection(property.PropertyType))
            {
                Collect(child, property.PropertyType, unknown);
            }
        }
    }

    /// <summary>Collections, dictionaries and simple values have keys of their own, or none.</summary>
    private static bool IsSection(Type type) =>
        type is { IsClass: true, Namespace: not null }
        && type.Namespace.StartsWith("ClusterLlm", StringComparison.Ordinal)
        && !typeof(System.Collections.IEnumerable).IsAssignableFrom(type);
}
