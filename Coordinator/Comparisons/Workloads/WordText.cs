namespace ClusterLlm.Coordinator.Comparisons.Workloads;

/// <summary>Texts of about so many tokens, where no tokenizer is at hand. Pure.</summary>
internal static class WordText
{
    /// <summary>Common words are one token each with most tokenizers; a number first, so that beginnings differ.</summary>
    public static Prompt Make(int words, int seed)
    {
        var random = new Random(seed);
        var text = Enumerable.Range(0, Math.Max(0, words - 3)).Select(_ => PromptMaker.Words[random.Next(PromptMaker.Words.Length)]);
        return Prompt.OfText(string.Join(' ', text.Prepend(random.Next(10_000, 100_000).ToString(System.Globalization.CultureInfo.InvariantCulture))));
    }
}
