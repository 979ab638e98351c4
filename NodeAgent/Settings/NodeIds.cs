using System.Text;

namespace ClusterLlm.NodeAgent.Settings;

/// <summary>The form of node ids.</summary>
internal static class NodeIds
{
    public const string Rule = "use 1 to 63 letters, digits, '-', '_' or '.', and begin with a letter or a digit.";

    private const int MaximumLength = 63;

    public static bool IsValid(string id) =>
        id.Length is > 0 and <= MaximumLength && char.IsAsciiLetterOrDigit(id[0]) && id.All(IsAllowed);

    /// <summary>A new id that still tells the host: its short name and <paramref name="random"/> as hexadecimal digits.</summary>
    public static string Create(string hostName, uint random)
    {
        var name = new StringBuilder();
        foreach (var character in hostName.Split('.')[0].ToLowerInvariant())
        {
            name.Append(char.IsAsciiLetterOrDigit(character) ? character : '-');
        }

        var stem = name.ToString().Trim('-');
        return $"{(stem.Length == 0 ? "node" : stem[..Math.Min(stem.Length, 40)])}-{random:x8}";
    }

    private static bool IsAllowed(char character) => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.';
}
