namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>RFC 4648 base32 in lower case and without padding: survives double clicks, file names and being read aloud.</summary>
internal static class Base32
{
    public const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    private const int BitsPerCharacter = 5;

    /// <returns>⌈8 × bytes / 5⌉ characters.</returns>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[((bytes.Length * 8) + BitsPerCharacter - 1) / BitsPerCharacter];
        var (buffer, bits, next) = (0, 0, 0);
        foreach (var value in bytes)
        {
            (buffer, bits) = (((buffer << 8) | value) & 0xFFFF, bits + 8);
            while (bits >= BitsPerCharacter)
            {
                bits -= BitsPerCharacter;
                text[next++] = Alphabet[(buffer >> bits) & 31];
            }
        }

        if (bits > 0)
        {
            text[next] = Alphabet[(buffer << (BitsPerCharacter - bits)) & 31];
        }

        return new string(text);
    }

    /// <summary>The bytes of <paramref name="text"/>, or <see langword="null"/> when <see cref="Encode"/> can't have written it.</summary>
    public static byte[]? Decode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[text.Length * BitsPerCharacter / 8];
        var (buffer, bits, next) = (0, 0, 0);
        foreach (var character in text)
        {
            var value = Alphabet.IndexOf(character, StringComparison.Ordinal);
            if (value < 0)
            {
                return null;
            }

            (buffer, bits) = (((buffer << BitsPerCharacter) | value) & 0xFFFF, bits + BitsPerCharacter);
            if (bits >= 8)
            {
                bits -= 8;
                bytes[next++] = (byte)(buffer >> bits);
            }
        }

        // Left over are fewer bits than a character has, all of them zero: else two texts would mean the same bytes.
        return bits < BitsPerCharacter && (buffer & ((1 << bits) - 1)) == 0 ? bytes : null;
    }
}
