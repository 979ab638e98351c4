using System.Text.Json;

namespace ClusterLlm.ModelFiles.Tests.Tokenization;

public class CanonicalCompositionTests
{
    /// <summary>Pairs of random text and its form C as Python's unicodedata (Unicode 14) gives it.</summary>
    [Fact]
    public void Normalize_RandomSequences_EqualsTheReference()
    {
        var cases = JsonSerializer.Deserialize<string[][]>(
            File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Tokenization", "nfc-cases.json")))!;

        Assert.All(cases, pair => Assert.Equal(pair[1], CanonicalComposition.Normalize(pair[0])));
    }

    [Fact]
    public void Normalize_LoneSurrogate_BecomesReplacementCharacter() => Assert.Equal("a\uFFFD\u0301", CanonicalComposition.Normalize("a\uD800\u0301"));

    [Fact(Timeout = 20_000)]
    public async Task Normalize_HundredThousandMarks_TakesLittleTime()
    {
        var text = "a" + string.Concat(Enumerable.Repeat("\u0301\u0323", 50_000));

        var normalized = await Task.Run(() => CanonicalComposition.Normalize(text), TestContext.Current.CancellationToken);

        Assert.Equal('\u1EA1', normalized[0]);
    }
}
