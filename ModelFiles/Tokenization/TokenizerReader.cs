using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>Builds a <see cref="ModelTokenizer"/> from the JSON of a tokenizer.json.</summary>
internal sealed class TokenizerReader(string path)
{
    private readonly TokenizerJson _json = new(path);

    public ModelTokenizer Read(ReadOnlyMemory<byte> bytes)
    {
        var root = ModelFileReader.ParseObject(bytes, path);
        var model = TokenizerJson.Find(root, "model") is { ValueKind: JsonValueKind.Object } found
            ? found
            : throw _json.Wrong("model", "is missing; the file is no tokenizer.json");
        var vocabulary = new BpeVocabularyReader(_json).Read(model);
        AddedToken[] added = [.. _json.Items(root, "added_tokens", "tokenizer").Select(ReadAddedToken)];
        TextPipelineReader pipeline = new(_json);
        var splitter = TokenizerJson.Find(root, "pre_tokenizer");
        var (before, after) = ReadTemplate(TokenizerJson.Find(root, "post_processor"));
        return new ModelTokenizer(
            vocabulary,
            added,
            new TextPipeline(
                pipeline.ReadNormalizer(TokenizerJson.Find(root, "normalizer")),
                new SplitterSequence([.. pipeline.ReadPreTokenizer(splitter, isFirst: true)]),
                new SplitterSequence([.. pipeline.ReadPreTokenizer(splitter, isFirst: false)]),
                pipeline.IsByteLevel(splitter)),
            ReadDecoding(TokenizerJson.Find(root, "decoder"), pipeline.IsByteLevel(splitter)),
            before,
            after);
    }

    private AddedToken ReadAddedToken(JsonElement element, int index)
    {
        var item = $"added_tokens[{index}]";
        return new AddedToken(
            _json.TokenId(TokenizerJson.Find(element, "id"), item),
            _json.Text(element, "content", item),
            _json.Boolean(element, "single_word", item, missing: false),
            _json.Boolean(element, "lstrip", item, missing: false),
            _json.Boolean(element, "rstrip", item, missing: false),
            _json.Boolean(element, "normalized", item, missing: true),
            _json.Boolean(element, "special", item, missing: false));
    }

    /// <summary>Ids that TemplateProcessing puts before and after a single text; other processors only move offsets.</summary>
    private (IReadOnlyList<int> Before, IReadOnlyList<int> After) ReadTemplate(JsonElement? processor, int depth = 0)
    {
        if (processor is not { } element || depth > 4)
        {
            return ([], []);
        }

        const string Item = "post_processor";
        switch (_json.Text(element, "type", Item))
        {
            case "Sequence":
                var parts = _json.Items(element, "processors", Item).Select(part => ReadTemplate(part, depth + 1)).ToArray();
                return ([.. parts.Reverse().SelectMany(part => part.Before)], [.. parts.SelectMany(part => part.After)]);
            case "TemplateProcessing":
                return ReadSingle(element, Item);
            case "ByteLevel":
                return ([], []);
            case var type:
                throw _json.Wrong(Item, $"is of type {type}; supported are TemplateProcessing, ByteLevel and Sequence");
        }
    }

    private (IReadOnlyList<int> Before, IReadOnlyList<int> After) ReadSingle(JsonElement template, string item)
    {
        List<int> before = [];
        List<int> after = [];
        var current = before;
        var tokens = TokenizerJson.Find(template, "special_tokens") ?? default;
        foreach (var piece in _json.Items(template, "single", item))
        {
            if (TokenizerJson.Find(piece, "Sequence") is not null)
            {
                current = after;
            }
            else if (TokenizerJson.Find(piece, "SpecialToken") is { } special)
            {
                var name = _json.Text(special, "id", item);
                var token = TokenizerJson.Find(tokens, name) ?? throw _json.Wrong($"{item}.special_tokens", $"has no '{name}', which the template uses");
                current.AddRange(_json.Items(token, "ids", item).Select(id => _json.TokenId(id, $"{item}.special_tokens['{name}']")));
            }
        }

        return (before, after);
    }

    private TokenDecoding ReadDecoding(JsonElement? decoder, bool isByteLevel)
    {
        List<(string From, string To)> replacements = [];
        var decoding = new TokenDecoding(ByteAlphabet: decoder is null && isByteLevel, ByteFallback: false, [], StripStart: null);
        foreach (var step in Flatten(decoder, 0))
        {
            const string Item = "decoder";
            switch (_json.Text(step, "type", Item))
            {
                case "ByteLevel":
                    decoding = decoding with { ByteAlphabet = true };
                    break;
                case "ByteFallback":
                    decoding = decoding with { ByteFallback = true };
                    break;
                case "Replace" when TokenizerJson.Find(step, "pattern") is { } pattern && _json.OptionalText(pattern, "String", Item) is { Length: > 0 } from:
                    replacements.Add((from, _json.Text(step, "content", Item)));
                    break;
                case "Strip":
                    decoding = decoding with { StripStart = _json.Text(step, "content", Item) };
                    break;
                case "Metaspace":
                    replacements.Add((_json.Text(step, "replacement", Item), " "));
                    decoding = decoding with { StripStart = _json.OptionalText(step, "prepend_scheme", Item) == "never" ? null : " " };
                    break;
                case "Fuse":
                    break;
                case var type:
                    throw _json.Wrong(Item, $"is of type {type}; supported are ByteLevel, ByteFallback, Replace (of a text), Strip, Fuse, Metaspace and Sequence");
            }
        }

        return decoding with { Replacements = replacements };
    }

    private IEnumerable<JsonElement> Flatten(JsonElement? decoder, int depth)
    {
        if (decoder is not { } element || depth > 4)
        {
            return [];
        }

        return _json.Text(element, "type", "decoder") == "Sequence"
            ? _json.Items(element, "decoders", "decoder").SelectMany(step => Flatten(step, depth + 1))
            : [element];
    }
}
