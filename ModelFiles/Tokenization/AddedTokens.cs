using System.Buffers;
using System.Globalization;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>A token that is recognised in the text before anything else happens to it.</summary>
/// <param name="SingleWord">Only where no word character touches it.</param>
/// <param name="StripLeft">Takes the white space before it along.</param>
/// <param name="StripRight">Takes the white space after it along.</param>
/// <param name="Normalized">Looked for in the normalized text, not in the text as it came.</param>
/// <param name="Special">Control, not content: left out when decoding for people.</param>
internal sealed record AddedToken(int Id, string Content, bool SingleWord, bool StripLeft, bool StripRight, bool Normalized, bool Special);

/// <summary>Splits text at added tokens: the leftmost one wins, among those the longest.</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<char, AddedToken[]> _byFirst;
    private readonly SearchValues<char> _first;

    public AddedTokens(IEnumerable<AddedToken> tokens)
    {
        _byFirst = tokens.Where(token => token.Content.Length > 0)
            .GroupBy(token => token.Content[0])
            .ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Content.Length).ToArray());
        _first = SearchValues.Create([.. _byFirst.Keys]);
    }

    /// <summary>The parts in order: an added token's id, or text between them (never empty).</summary>
    public IEnumerable<(int? Id, string Text)> Split(string text)
    {
        var done = 0;
        for (var i = Next(text, 0); i >= 0; i = Next(text, i))
        {
            if (Match(text, i) is not { } token)
            {
                i++;
                continue;
            }

            var start = i;
            while (token.StripLeft && start > done && char.IsWhiteSpace(text[start - 1]))
            {
                start--;
            }

            if (start > done)
            {
                yield return (null, text[done..start]);
            }

            yield return (token.Id, token.Content);
            i += token.Content.Length;
            while (token.StripRight && i < text.Length && char.IsWhiteSpace(text[i]))
            {
                i++;
            }

            done = i;
        }

        if (done < text.Length)
        {
            yield return (null, text[done..]);
        }
    }

    private int Next(string text, int start)
    {
        var index = start < text.Length ? text.AsSpan(start).IndexOfAny(_first) : -1;
        return index < 0 ? -1 : start + index;
    }

    private AddedToken? Match(string text, int index) => _byFirst[text[index]].FirstOrDefault(token =>
        string.CompareOrdinal(text, index, token.Content, 0, token.Content.Length) == 0
        && (!token.SingleWord || IsAlone(text, index, index + token.Content.Length)));

    private static bool IsAlone(string text, int start, int end) =>
        (Rune.DecodeLastFromUtf16(text.AsSpan(0, start), out var before, out _) != OperationStatus.Done || !IsWord(before))
        && (Rune.DecodeFromUtf16(text.AsSpan(end), out var after, out _) != OperationStatus.Done || !IsWord(after));

    /// <summary>What <c>\w</c> matches: letters, marks, digits, connectors and joiners.</summary>
    private static bool IsWord(Rune character) => Rune.GetUnicodeCategory(character) is
        <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation || character.Value is 0x200C or 0x200D;
}
