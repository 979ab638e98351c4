using System.Collections.Immutable;
using System.Text.Json;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>What a process writes once it listens: its addresses as <c>{endpoint}Url</c>, and its pid.</summary>
internal static class ReadyFile
{
    private const string UrlSuffix = "Url";

    /// <summary>The addresses by endpoint name, or null when the file is not there yet or belongs to an earlier run.</summary>
    /// <param name="pid">The process that must have written it.</param>
    /// <exception cref="InvalidDataException">The file of this process is not the JSON object that it should be.</exception>
    public static ImmutableSortedDictionary<string, string>? TryRead(string path, int pid)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        return Parse(text, path) is { } content && content.Pid == pid ? content.Urls : null;
    }

    private static (int Pid, ImmutableSortedDictionary<string, string> Urls) Parse(string text, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var urls = document.RootElement.EnumerateObject()
                .Where(property => property.Name.EndsWith(UrlSuffix, StringComparison.Ordinal))
                .ToImmutableSortedDictionary(
                    property => property.Name[..^UrlSuffix.Length],
                    property => (property.Value.GetString() ?? "").TrimEnd('/'));
            return (document.RootElement.GetProperty("pid").GetInt32(), urls);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException($"The ready file {path} can't be read: {malformed.Message}", malformed);
        }
    }
}
