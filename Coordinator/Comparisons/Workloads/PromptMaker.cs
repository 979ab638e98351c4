using System.Collections.Immutable;
using ClusterLlm.ModelFiles;

namespace ClusterLlm.Coordinator.Comparisons.Workloads;

/// <summary>A prompt as text, or as token ids where no tokenizer could be read.</summary>
internal sealed record Prompt(string? Text, ImmutableArray<int> Tokens)
{
    public static Prompt OfText(string text) => new(text, []);
}

/// <summary>Makes prompts of an exact number of tokens that have no beginning in common, so that no cache of prompts helps. Pure; equal seeds give equal prompts.</summary>
internal sealed class PromptMaker
{
    private const int MostTries = 40;

    public static ImmutableArray<string> Words { get; } =
    [
        .. ("river stone window garden letter market winter bridge morning paper silver engine forest island captain mirror kitchen travel number "
            + "yellow travel copper signal meadow ticket planet harbor basket corner shadow button candle voyage thunder orange velvet hammer "
            + "singer border cotton doctor summer pocket bottle farmer square circle museum tunnel balance quiet early broken simple narrow "
            + "ancient gentle hidden northern paints carries watches follows gathers crosses answers repairs opens the a of in under over with").Split(' '),
    ];

    private readonly ModelTokenizer? _tokenizer;
    private readonly int _vocabularySize;

    /// <param name="tokenizer">The model's own; <see langword="null"/> gives token ids instead of text.</param>
    /// <param name="vocabularySize">Of the model; ≥ 8.</param>
    public PromptMaker(ModelTokenizer? tokenizer, int vocabularySize) => (_tokenizer, _vocabularySize) = (tokenizer, vocabularySize);

    /// <param name="tokens">As the engine will count them, those that the tokenizer adds around a text included; ≥ 1.</param>
    /// <exception cref="ArgumentException">The tokenizer adds more than that around any text.</exception>
    public Prompt Make(int tokens, int seed)
    {
        var random = new Random(seed);
        return _tokenizer is null ? Ids(tokens, random) : Text(tokens, random);
    }

    private Prompt Text(int tokens, Random random)
    {
        var around = Count("");
        if (around >= tokens)
        {
            throw new ArgumentException($"A prompt of {tokens} tokens can't be made: the tokenizer adds {around} tokens around any text. Ask for at least {around + 1}.", nameof(tokens));
        }

        for (var attempt = 0; attempt < MostTries; attempt++)
        {
            if (TryText(tokens, random) is { } text)
            {
                return Prompt.OfText(text);
            }
        }

        throw new ArgumentException($"No text of {tokens} tokens was found in {MostTries} tries; ask for another length.", nameof(tokens));
    }

    private string? TryText(int tokens, Random random)
    {
        var words = new List<string>();
        for (var index = 0; index < tokens; index++)
        {
            // A word is at least one token, so that many are enough; a number first, so that beginnings differ.
            words.Add(index == 0 ? random.Next(10_000, 100_000).ToString(System.Globalization.CultureInfo.InvariantCulture) : Words[random.Next(Words.Length)]);
        }

        // The longest beginning that is not too long, by halving.
        var (fits, tooLong) = (0, words.Count + 1);
        while (tooLong - fits > 1)
        {
            var middle = (fits + tooLong) / 2;
            (fits, tooLong) = Count(string.Join(' ', words.Take(middle))) <= tokens ? (middle, tooLong) : (fits, middle);
        }

        var text = string.Join(' ', words.Take(fits));
        foreach (var filler in Fillers(random))
        {
            var missing = tokens - Count(text);
            if (missing <= 0)
            {
                break;
            }

            var longer = text + filler;
            text = Count(longer) <= tokens ? longer : text;
        }

        return Count(text) == tokens ? text : null;
    }

    private static IEnumerable<string> Fillers(Random random)
    {
        for (var index = 0; index < 64; index++)
        {
            yield return (index % 4) switch { 0 => $" {Words[random.Next(Words.Length)]}", 1 => ".", 2 => " a", _ => $"{random.Next(10)}" };
        }
    }

    /// <summary>Ids from the middle of the vocabulary: special tokens stand at its ends.</summary>
    private Prompt Ids(int tokens, Random random)
    {
        var (first, last) = (_vocabularySize / 4, (_vocabularySize * 3 / 4) + 1);
        return new Prompt(null, [.. Enumerable.Range(0, tokens).Select(_ => random.Next(first, last))]);
    }

    private int Count(string text) => _tokenizer!.Encode(text, addSpecialTokens: true).Count;
}
