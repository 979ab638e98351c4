namespace ClusterLlm.ModelFiles.Tests;

/// <summary>Damages files in the ways that disks, networks and editors do.</summary>
internal static class Mutation
{
    /// <summary>One to four of: a flipped bit, a byte of choice, a cut, a repeated or removed stretch.</summary>
    public static byte[] OfBytes(byte[] source, Random random)
    {
        List<byte> bytes = [.. source];
        for (var i = random.Next(1, 5); i > 0 && bytes.Count > 0; i--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 40), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = "{}[]\",:-0189eE.\\ntu\0\xFF"u8[random.Next(22)];
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.RemoveRange(at, length);
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count), 1));
                    break;
            }
        }

        return [.. bytes];
    }

    public static string OfText(string source, Random random)
    {
        const string Symbols = "{}%#()[]|.,:'\"-+~*/=<> 0aA\n\\";
        var text = source;
        for (var i = random.Next(1, 5); i > 0 && text.Length > 0; i--)
        {
            var at = random.Next(text.Length);
            var length = Math.Min(random.Next(1, 20), text.Length - at);
            text = random.Next(3) switch
            {
                0 => text.Remove(at, length),
                1 => text.Insert(at, Symbols[random.Next(Symbols.Length)].ToString()),
                _ => text.Insert(random.Next(text.Length), text.Substring(at, length)),
            };
        }

        return text;
    }
}
