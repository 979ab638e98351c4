using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>
/// Unicode's normalization form C. <see cref="string.Normalize()"/> leaves everything but ASCII as it is in invariant globalization, and
/// a machine with only the SDK need not have ICU; so the mappings are a resource of this assembly.
/// </summary>
/// <remarks>Source: Unicode Standard Annex 15 and section 3.12 (Hangul); mappings from the Unicode Character Database.</remarks>
internal static class CanonicalComposition
{
    // No character below takes part in a composition as the second one or has a combining class; those that decompose are composed already.
    private const char FirstRelevant = '\u0300';

    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28;

    private static readonly CanonicalMappings Mappings = CanonicalMappings.Load();

    /// <summary>The text in form C. Lone surrogates become U+FFFD.</summary>
    public static string Normalize(string text)
    {
        if (text.AsSpan().IndexOfAnyExceptInRange('\0', (char)(FirstRelevant - 1)) < 0)
        {
            return text;
        }

        List<int> points = new(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, points);
        }

        Reorder(points);
        Compose(points);
        StringBuilder result = new(text.Length);
        foreach (var point in points)
        {
            result.Append(new Rune(point).ToString());
        }

        return result.ToString();
    }

    private static void Decompose(int point, List<int> points)
    {
        var syllable = point - HangulBase;
        if (syllable is >= 0 and < LeadCount * VowelCount * TrailCount)
        {
            points.Add(LeadBase + (syllable / (VowelCount * TrailCount)));
            points.Add(VowelBase + (syllable / TrailCount % VowelCount));
            if (syllable % TrailCount > 0)
            {
                points.Add(TrailBase + (syllable % TrailCount));
            }
        }
        else if (Mappings.Decomposition(point) is { } parts)
        {
            foreach (var part in parts)
            {
                Decompose(part, points);
            }
        }
        else
        {
            points.Add(point);
        }
    }

    /// <summary>Sorts each run of combining marks by class, keeping the order within a class.</summary>
    private static void Reorder(List<int> points)
    {
        for (var start = 0; start < points.Count; start++)
        {
            var end = start;
            while (end < points.Count && Mappings.CombiningClass(points[end]) > 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                var sorted = points.GetRange(start, end - start).OrderBy(Mappings.CombiningClass).ToArray();
                sorted.CopyTo(CollectionsMarshal.AsSpan(points)[start..]);
            }

            start = end;
        }
    }

    private static void Compose(List<int> points)
    {
        var count = 0;
        var starter = -1;
        var lastClass = 0;
        for (var i = 0; i < points.Count; i++)
        {
            var point = points[i];
            var currentClass = Mappings.CombiningClass(point);

            // A mark is blocked from its starter by a mark of the same or a higher class between them.
            var isNext = starter == count - 1;
            if (starter >= 0 && (isNext || (lastClass < currentClass && lastClass > 0)) && Combine(points[starter], point) is { } composed)
            {
                points[starter] = composed;
                continue;
            }

            if (currentClass == 0)
            {
                starter = count;
            }

            lastClass = currentClass;
            points[count++] = point;
        }

        points.RemoveRange(count, points.Count - count);
    }

    private static int? Combine(int first, int second)
    {
        if (first is >= LeadBase and < LeadBase + LeadCount && second is >= VowelBase and < VowelBase + VowelCount)
        {
            return HangulBase + ((((first - LeadBase) * VowelCount) + second - VowelBase) * TrailCount);
        }

        var syllable = first - HangulBase;
        return syllable is >= 0 and < LeadCount * VowelCount * TrailCount && syllable % TrailCount == 0 && second is > TrailBase and < TrailBase + TrailCount
            ? first + second - TrailBase
            : Mappings.Composition(first, second);
    }

    /// <summary>The resource's tables.</summary>
    private sealed class CanonicalMappings
    {
        private readonly Dictionary<int, int[]> _decompositions = [];
        private readonly Dictionary<int, byte> _classes = [];
        private readonly Dictionary<(int First, int Second), int> _compositions = [];

        public int[]? Decomposition(int point) => _decompositions.GetValueOrDefault(point);

        public byte CombiningClass(int point) => _classes.GetValueOrDefault(point);

        public int? Composition(int first, int second) => _compositions.TryGetValue((first, second), out var composed) ? composed : null;

        public static CanonicalMappings Load()
        {
            const string Resource = "CanonicalMappings.txt";
            using var stream = typeof(CanonicalMappings).Assembly.GetManifestResourceStream(Resource)
                ?? throw new InvalidOperationException($"The assembly was built without its resource {Resource}.");
            using StreamReader reader = new(stream, Encoding.ASCII);
            CanonicalMappings mappings = new();
            while (reader.ReadLine() is { } line)
            {
                if (!line.StartsWith('#'))
                {
                    mappings.Add(line.Split(' '));
                }
            }

            return mappings;
        }

        /// <summary>A line is <c>344 230 -308 301</c> or <c>C0 0 =41 300</c> or <c>300 230</c>.</summary>
        private void Add(string[] fields)
        {
            var point = Hex(fields[0]);
            if (byte.Parse(fields[1], CultureInfo.InvariantCulture) is > 0 and var combiningClass)
            {
                _classes[point] = combiningClass;
            }

            if (fields.Length > 2)
            {
                int[] parts = [Hex(fields[2].AsSpan(1)), .. fields.Skip(3).Select(field => Hex(field))];
                _decompositions[point] = parts;
                if (fields[2][0] == '=')
                {
                    _compositions[(parts[0], parts[1])] = point;
                }
            }
        }

        private static int Hex(ReadOnlySpan<char> digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
