using System.Collections.Frozen;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>GPT-2's alphabet: each byte has a printable character, so that a vocabulary of byte strings can be written as text.</summary>
/// <remarks>
/// Bytes that are printable in Latin-1 (! to ~, ¡ to ¬, ® to ÿ) stand for themselves; the other 68 are U+0100 onwards in order.
/// Source: the GPT-2 release's <c>bytes_to_unicode</c>.
/// </remarks>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = Create();

    private static readonly FrozenDictionary<char, byte> Bytes =
        Characters.Select((character, i) => (character, i)).ToFrozenDictionary(pair => pair.character, pair => (byte)pair.i);

    /// <summary>The character that stands for a byte.</summary>
    public static char ToCharacter(byte value) => Characters[value];

    /// <summary>The bytes that a token stands for; its UTF-8 when a character of it is not of the alphabet (added tokens are plain text).</summary>
    public static byte[] ToBytes(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            if (!Bytes.TryGetValue(token[i], out bytes[i]))
            {
                return Encoding.UTF8.GetBytes(token);
            }
        }

        return bytes;
    }

    private static char[] Create()
    {
        var characters = new char[256];
        var next = '\u0100';
        for (var value = 0; value < characters.Length; value++)
        {
            characters[value] = value is (>= '!' and <= '~') or (>= '\u00A1' and <= '\u00AC') or >= '\u00AE' ? (char)value : next++;
        }

        return characters;
    }
}
