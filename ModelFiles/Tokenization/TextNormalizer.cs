using System.Text.RegularExpressions;

namespace ClusterLlm.ModelFiles;

/// <summary>A step that rewrites text before it is split.</summary>
internal delegate string TextNormalizer(string text);

/// <summary>The steps that tokenizer.json files of the supported families ask for.</summary>
internal static class TextNormalizers
{
    public static TextNormalizer None { get; } = text => text;

    public static TextNormalizer Sequence(IReadOnlyList<TextNormalizer> steps) =>
        text => steps.Aggregate(text, (current, step) => step(current));

    /// <summary>Puts <paramref name="prefix"/> before text that is not empty.</summary>
    public static TextNormalizer Prepend(string prefix) => text => text.Length == 0 ? text : prefix + text;

    public static TextNormalizer Replace(Regex pattern, string content)
    {
        // The content is plain text for the file's authors, so no substitution pattern may be seen in it.
        return text => pattern.Replace(text, _ => content);
    }

    public static TextNormalizer Strip(bool left, bool right) => text =>
    {
        var result = left ? text.TrimStart() : text;
        return right ? result.TrimEnd() : result;
    };
}
