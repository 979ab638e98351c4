using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ClusterLlm.ModelFiles;

/// <summary>What happens to the matches of a pattern when text is split by it. Names as in tokenizer.json.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// <summary>A step that cuts text into smaller pieces.</summary>
internal interface ITextSplitter
{
    IEnumerable<string> Split(string text);
}

/// <summary>Applies steps one after the other, each to all pieces of the one before.</summary>
internal sealed class SplitterSequence(IReadOnlyList<ITextSplitter> steps) : ITextSplitter
{
    public IEnumerable<string> Split(string text)
    {
        IEnumerable<string> pieces = [text];
        foreach (var step in steps)
        {
            pieces = pieces.SelectMany(step.Split);
        }

        return pieces;
    }
}

/// <summary>Puts a space before text that begins without one.</summary>
internal sealed class SpacePrepender(string space) : ITextSplitter
{
    public IEnumerable<string> Split(string text) => [text.StartsWith(space, StringComparison.Ordinal) ? text : space + text];
}

/// <summary>Writes another character for each space.</summary>
internal sealed class SpaceReplacer(string replacement) : ITextSplitter
{
    public IEnumerable<string> Split(string text) => [text.Replace(" ", replacement, StringComparison.Ordinal)];
}

/// <summary>Splits at the matches of a pattern.</summary>
/// <param name="invert">Swaps what is a match and what is between matches.</param>
internal sealed class PatternSplitter(Regex pattern, SplitBehavior behavior, bool invert) : ITextSplitter
{
    public IEnumerable<string> Split(string text)
    {
        // Patterns see UTF-16 halves, in which a letter outside the basic plane is no letter. Same-length stand-ins of the same category help.
        var seen = AstralStandIns.Replace(text);
        List<(int Start, int End, bool IsMatch)> parts = [];
        var done = 0;
        foreach (var match in pattern.EnumerateMatches(seen.Text))
        {
            AddPart(parts, done, match.Index, isMatch: invert);
            AddPart(parts, match.Index, match.Index + match.Length, isMatch: !invert);
            done = match.Index + match.Length;
        }

        AddPart(parts, done, seen.Text.Length, isMatch: invert);
        return SplitBehaviors.Apply(parts, behavior).Select(part => text[seen.IndexOf(part.Start)..seen.IndexOf(part.End)]);
    }

    private static void AddPart(List<(int Start, int End, bool IsMatch)> parts, int start, int end, bool isMatch)
    {
        if (end > start)
        {
            parts.Add((start, end, isMatch));
        }
    }
}

/// <summary>Joins or drops parts as a <see cref="SplitBehavior"/> asks.</summary>
internal static class SplitBehaviors
{
    public static IEnumerable<(int Start, int End)> Apply(IReadOnlyList<(int Start, int End, bool IsMatch)> parts, SplitBehavior behavior)
    {
        List<(int Start, int End)> result = [];
        for (var i = 0; i < parts.Count; i++)
        {
            var (start, end, isMatch) = parts[i];
            var previousIsMatch = i > 0 && parts[i - 1].IsMatch;
            var joins = behavior switch
            {
                SplitBehavior.MergedWithPrevious => isMatch && i > 0 && !previousIsMatch,
                SplitBehavior.MergedWithNext => !isMatch && previousIsMatch,
                SplitBehavior.Contiguous => isMatch && previousIsMatch,
                _ => false,
            };
            if (joins)
            {
                result[^1] = (result[^1].Start, end);
            }
            else if (!isMatch || behavior != SplitBehavior.Removed)
            {
                result.Add((start, end));
            }
        }

        return result;
    }
}

/// <summary>Text in which characters outside the basic plane are replaced by one of the same category, with the way back.</summary>
internal readonly struct AstralStandIns
{
    private readonly int[]? _indices;

    private AstralStandIns(string text, int[]? indices)
    {
        Text = text;
        _indices = indices;
    }

    public string Text { get; }

    /// <summary>Where a position of <see cref="Text"/> is in the original.</summary>
    public int IndexOf(int position) => _indices is null ? position : _indices[position];

    public static AstralStandIns Replace(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return new AstralStandIns(text, null);
        }

        StringBuilder seen = new(text.Length);
        List<int> indices = new(text.Length + 1);
        var index = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            indices.Add(index);
            seen.Append(rune.IsBmp ? (char)rune.Value : StandIn(CharUnicodeInfo.GetUnicodeCategory(rune.Value)));

            // A lone surrogate enumerates as U+FFFD, which takes one position like the surrogate did.
            index += rune.Utf16SequenceLength;
        }

        indices.Add(index);
        return new AstralStandIns(seen.ToString(), [.. indices]);
    }

    /// <summary>Rare characters, so that no pattern names them; below U+0800 where the category has one, since some patterns have ranges from there to CJK.</summary>
    private static char StandIn(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => '\u018F',
        UnicodeCategory.LowercaseLetter => '\u0250',
        UnicodeCategory.TitlecaseLetter => '\u01C5',
        UnicodeCategory.ModifierLetter => '\u02B0',
        UnicodeCategory.OtherLetter => '\u01BB',
        UnicodeCategory.NonSpacingMark => '\u0487',
        UnicodeCategory.SpacingCombiningMark => '\u0903',
        UnicodeCategory.EnclosingMark => '\u0488',
        UnicodeCategory.DecimalDigitNumber => '\u0660',
        UnicodeCategory.LetterNumber => '\u16EE',
        UnicodeCategory.OtherNumber => '\u00BE',
        UnicodeCategory.DashPunctuation => '\u058A',
        UnicodeCategory.OtherPunctuation => '\u055A',
        UnicodeCategory.MathSymbol => '\u03F6',
        UnicodeCategory.CurrencySymbol => '\u058F',
        UnicodeCategory.ModifierSymbol => '\u02D2',
        UnicodeCategory.OtherSymbol => '\u0482',
        UnicodeCategory.Format => '\u0600',
        UnicodeCategory.PrivateUse => '\uE000',
        _ => '\u0378',
    };
}
