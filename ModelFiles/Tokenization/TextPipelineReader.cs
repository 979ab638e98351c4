using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>Builds the normalizer and the pre-tokenizer of a tokenizer.json.</summary>
internal sealed class TextPipelineReader(TokenizerJson json)
{
    /// <summary>How the GPT-2 release splits text; ByteLevel's own pattern.</summary>
    private const string Gpt2Pattern = @"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private const int MaxDepth = 8;

    public TextNormalizer ReadNormalizer(JsonElement? element, int depth = 0)
    {
        if (element is not { } normalizer)
        {
            return TextNormalizers.None;
        }

        const string Item = "normalizer";
        return json.Text(normalizer, "type", Item) switch
        {
            "NFC" => CanonicalComposition.Normalize,
            "Sequence" when depth < MaxDepth => TextNormalizers.Sequence(
                [.. json.Items(normalizer, "normalizers", Item).Select(step => ReadNormalizer(step, depth + 1))]),
            "Prepend" => TextNormalizers.Prepend(json.Text(normalizer, "prepend", Item)),
            "Replace" => TextNormalizers.Replace(json.Pattern(normalizer, Item), json.Text(normalizer, "content", Item)),
            "Lowercase" => text => text.ToLowerInvariant(),
            "Strip" => TextNormalizers.Strip(
                json.Boolean(normalizer, "strip_left", Item, missing: true), json.Boolean(normalizer, "strip_right", Item, missing: true)),
            var type => throw json.Wrong(Item, $"is of type {type}; supported are NFC, Sequence, Prepend, Replace, Lowercase and Strip"),
        };
    }

    /// <param name="isFirst">Whether it is for the text's first part: Metaspace may treat that one apart.</param>
    public IEnumerable<ITextSplitter> ReadPreTokenizer(JsonElement? element, bool isFirst, int depth = 0)
    {
        if (element is not { } splitter)
        {
            return [];
        }

        const string Item = "pre_tokenizer";
        return json.Text(splitter, "type", Item) switch
        {
            "Sequence" when depth < MaxDepth =>
                json.Items(splitter, "pretokenizers", Item).SelectMany(step => ReadPreTokenizer(step, isFirst, depth + 1)),
            "ByteLevel" => ReadByteLevel(splitter, Item),
            "Split" => [new PatternSplitter(json.Pattern(splitter, Item), ReadBehavior(splitter, Item), json.Boolean(splitter, "invert", Item, missing: false))],
            "Digits" => [ReadDigits(splitter, Item)],
            "Punctuation" => [new PatternSplitter(json.Compile(@"[\p{P}$+<=>^`|~]", Item), ReadBehavior(splitter, Item), invert: false)],
            "WhitespaceSplit" => [new PatternSplitter(json.Compile(@"\s", Item), SplitBehavior.Removed, invert: false)],
            "Metaspace" => ReadMetaspace(splitter, isFirst, Item),
            var type => throw json.Wrong(
                Item, $"is of type {type}; supported are ByteLevel, Split, Digits, Punctuation, WhitespaceSplit, Metaspace and Sequence"),
        };
    }

    /// <summary>Whether text is turned into GPT-2's byte alphabet.</summary>
    public bool IsByteLevel(JsonElement? element, int depth = 0) =>
        element is { } splitter && depth <= MaxDepth
        && (json.Text(splitter, "type", "pre_tokenizer") == "ByteLevel"
            || json.Items(splitter, "pretokenizers", "pre_tokenizer").Any(step => IsByteLevel(step, depth + 1)));

    private List<ITextSplitter> ReadByteLevel(JsonElement splitter, string item)
    {
        List<ITextSplitter> steps = [];
        if (json.Boolean(splitter, "add_prefix_space", item, missing: true))
        {
            steps.Add(new SpacePrepender(" "));
        }

        if (json.Boolean(splitter, "use_regex", item, missing: true))
        {
            steps.Add(new PatternSplitter(json.Compile(Gpt2Pattern, item), SplitBehavior.Isolated, invert: false));
        }

        return steps;
    }

    private PatternSplitter ReadDigits(JsonElement splitter, string item)
    {
        var isIndividual = json.Boolean(splitter, "individual_digits", item, missing: false);
        return new PatternSplitter(json.Compile(@"\p{N}", item), isIndividual ? SplitBehavior.Isolated : SplitBehavior.Contiguous, invert: false);
    }

    private List<ITextSplitter> ReadMetaspace(JsonElement splitter, bool isFirst, string item)
    {
        var replacement = json.Text(splitter, "replacement", item);
        var scheme = json.OptionalText(splitter, "prepend_scheme", item)
            ?? (json.Boolean(splitter, "add_prefix_space", item, missing: true) ? "always" : "never");
        List<ITextSplitter> steps = [new SpaceReplacer(replacement)];
        if (scheme == "always" || (scheme == "first" && isFirst))
        {
            steps.Add(new SpacePrepender(replacement));
        }

        if (json.Boolean(splitter, "split", item, missing: true))
        {
            steps.Add(new PatternSplitter(json.Compile(System.Text.RegularExpressions.Regex.Escape(replacement), item), SplitBehavior.MergedWithNext, invert: false));
        }

        return steps;
    }

    private SplitBehavior ReadBehavior(JsonElement splitter, string item)
    {
        var name = json.Text(splitter, "behavior", item);
        return Enum.TryParse<SplitBehavior>(name, out var behavior) && Enum.IsDefined(behavior)
            ? behavior
            : throw json.Wrong($"{item}.behavior", $"is '{name}'; supported are {string.Join(", ", Enum.GetNames<SplitBehavior>())}");
    }
}
