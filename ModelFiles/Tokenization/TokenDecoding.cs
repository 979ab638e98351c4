using System.Globalization;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>How a token's text in the vocabulary becomes bytes of the answer.</summary>
/// <param name="ByteAlphabet">Characters stand for bytes, as in GPT-2.</param>
/// <param name="ByteFallback">A token <c>&lt;0xNN&gt;</c> is that byte.</param>
/// <param name="Replacements">Texts that stand for others (▁ for a space).</param>
/// <param name="StripStart">Dropped once from the start of a text; null drops nothing.</param>
internal sealed record TokenDecoding(bool ByteAlphabet, bool ByteFallback, IReadOnlyList<(string From, string To)> Replacements, string? StripStart)
{
    public byte[] ToBytes(string token)
    {
        if (ByteAlphabet)
        {
            return ModelFiles.ByteAlphabet.ToBytes(token);
        }

        if (ByteFallback && token is ['<', '0', 'x', _, _, '>']
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return [value];
        }

        return Encoding.UTF8.GetBytes(Replacements.Aggregate(token, (text, pair) => text.Replace(pair.From, pair.To, StringComparison.Ordinal)));
    }
}
