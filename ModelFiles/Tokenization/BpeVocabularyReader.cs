using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>Reads the <c>model</c> object of a tokenizer.json.</summary>
internal sealed class BpeVocabularyReader(TokenizerJson json)
{
    public BpeVocabulary Read(JsonElement model)
    {
        var type = json.OptionalText(model, "type", "model") ?? "BPE";
        if (type != "BPE")
        {
            throw json.Wrong("model.type", $"is '{type}'; only BPE is supported");
        }

        foreach (var option in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (json.OptionalText(model, option, "model") is { Length: > 0 } value)
            {
                throw json.Wrong($"model.{option}", $"is '{value}', which is not supported");
            }
        }

        var ids = ReadIds(model);
        var unknown = json.OptionalText(model, "unk_token", "model");
        if (unknown is not null && !ids.ContainsKey(unknown))
        {
            throw json.Wrong("model.unk_token", $"is '{unknown}', which the vocabulary does not have");
        }

        return new BpeVocabulary(
            ids,
            ReadMerges(model, ids),
            json.Boolean(model, "ignore_merges", "model", missing: false),
            json.Boolean(model, "byte_fallback", "model", missing: false),
            unknown is null ? null : ids[unknown],
            json.Boolean(model, "fuse_unk", "model", missing: false));
    }

    private Dictionary<string, int> ReadIds(JsonElement model)
    {
        if (TokenizerJson.Find(model, "vocab") is not { ValueKind: JsonValueKind.Object } vocabulary)
        {
            throw json.Wrong("model.vocab", "is no object of tokens and ids");
        }

        Dictionary<string, int> ids = new(vocabulary.GetPropertyCount(), StringComparer.Ordinal);
        foreach (var entry in vocabulary.EnumerateObject())
        {
            var token = JsonText.Name(entry, json.Path);
            ids[token] = entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetInt32(out var id) && id is >= 0 and < 1 << 24
                ? id
                : json.TokenId(entry.Value, $"model.vocab['{token}']");
        }

        return ids;
    }

    private Dictionary<ulong, (int Rank, int Id)> ReadMerges(JsonElement model, Dictionary<string, int> ids)
    {
        if (TokenizerJson.Find(model, "merges") is not { ValueKind: JsonValueKind.Array } list)
        {
            throw json.Wrong("model.merges", "is no array of pairs");
        }

        Dictionary<ulong, (int Rank, int Id)> merges = new(list.GetArrayLength());
        var rank = 0;
        foreach (var entry in list.EnumerateArray())
        {
            var (left, right) = ReadPair(entry, rank);
            if (!ids.TryGetValue(left, out var leftId) || !ids.TryGetValue(right, out var rightId) || !ids.TryGetValue(left + right, out var id))
            {
                throw json.Wrong($"model.merges[{rank}]", $"joins '{left}' and '{right}', but the vocabulary lacks one of '{left}', '{right}' and '{left + right}'");
            }

            // Of a pair that is listed twice the later rank counts, as in the reference implementation's map.
            merges[BpeVocabulary.Pair(leftId, rightId)] = (rank++, id);
        }

        return merges;
    }

    /// <summary>Newer files have <c>["a", "b"]</c>, older ones <c>"a b"</c>.</summary>
    private (string Left, string Right) ReadPair(JsonElement entry, int rank)
    {
        var item = $"model.merges[{rank}]";
        if (entry.ValueKind == JsonValueKind.Array && entry.GetArrayLength() == 2
            && entry[0].ValueKind == JsonValueKind.String && entry[1].ValueKind == JsonValueKind.String)
        {
            return (JsonText.Value(entry[0], json.Path, item), JsonText.Value(entry[1], json.Path, item));
        }

        if (entry.ValueKind == JsonValueKind.String)
        {
            var text = JsonText.Value(entry, json.Path, item);
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0 && space < text.Length - 1 && text.IndexOf(' ', space + 1) < 0)
            {
                return (text[..space], text[(space + 1)..]);
            }
        }

        throw json.Wrong(item, $"is {ModelFileReader.Describe(entry)}; two tokens are expected, as \"a b\" or [\"a\", \"b\"]");
    }
}
