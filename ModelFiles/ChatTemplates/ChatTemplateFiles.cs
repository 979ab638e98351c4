using System.Text;
using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>Finds a folder's chat template and special tokens.</summary>
internal static class ChatTemplateFiles
{
    private const long MaxBytes = 16 << 20;

    private static readonly string[] SpecialTokenNames = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

    /// <summary>Where the template stands, its text, and the special tokens; null when the folder has no template.</summary>
    /// <param name="hasTools">Prefers the template called <c>tool_use</c> where there are several.</param>
    public static (string Path, string Source, IReadOnlyDictionary<string, string?> SpecialTokens)? Find(string folder, bool hasTools)
    {
        var configPath = Path.Combine(folder, "tokenizer_config.json");
        var config = ReadJson(configPath);
        var special = ReadSpecialTokens(folder, config);
        var jinja = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(jinja))
        {
            return (jinja, Encoding.UTF8.GetString(ModelFileReader.ReadBytes(jinja, MaxBytes)), special);
        }

        var jsonPath = Path.Combine(folder, "chat_template.json");
        foreach (var (path, json) in new[] { (jsonPath, ReadJson(jsonPath)), (configPath, config) })
        {
            if (json is { } root && root.TryGetProperty("chat_template", out var template) && Choose(template, path, hasTools) is { } source)
            {
                return (path, source, special);
            }
        }

        return null;
    }

    /// <summary>The template itself, or of a list of named ones <c>default</c> or <c>tool_use</c>.</summary>
    private static string? Choose(JsonElement template, string path, bool hasTools)
    {
        const string Item = "chat_template";
        switch (template.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.String:
                return JsonText.Value(template, path, Item);
            case JsonValueKind.Array:
                var named = template.EnumerateArray().Select((entry, i) => Named(entry, path, $"{Item}[{i}]")).DistinctBy(entry => entry.Name).ToDictionary(entry => entry.Name, entry => entry.Source);
                return hasTools && named.TryGetValue("tool_use", out var forTools) ? forTools
                    : named.TryGetValue("default", out var source) ? source
                    : throw new ModelFileException(path, Item, $"has no template called 'default' (it has {string.Join(", ", named.Keys)})");
            default:
                throw new ModelFileException(path, Item, $"is {ModelFileReader.Describe(template)}; a text or a list of named texts is expected");
        }
    }

    private static (string Name, string Source) Named(JsonElement entry, string path, string item)
    {
        TokenizerJson json = new(path);
        return (json.Text(entry, "name", item), json.Text(entry, "template", item));
    }

    /// <summary>tokenizer_config.json wins over the older special_tokens_map.json. A token is a text or an object with its content.</summary>
    private static Dictionary<string, string?> ReadSpecialTokens(string folder, JsonElement? config)
    {
        var mapPath = Path.Combine(folder, "special_tokens_map.json");
        var map = ReadJson(mapPath);
        Dictionary<string, string?> tokens = new(StringComparer.Ordinal);
        foreach (var name in SpecialTokenNames)
        {
            tokens[name] = Token(config, name, Path.Combine(folder, "tokenizer_config.json")) ?? Token(map, name, mapPath);
        }

        return tokens;
    }

    private static string? Token(JsonElement? root, string name, string path)
    {
        if (root is not { } json || TokenizerJson.Find(json, name) is not { } value)
        {
            return null;
        }

        var content = TokenizerJson.Find(value, "content") ?? value;
        return content.ValueKind == JsonValueKind.String
            ? JsonText.Value(content, path, name)
            : throw new ModelFileException(path, name, $"is {ModelFileReader.Describe(content)}; a text or an object with a content is expected");
    }

    private static JsonElement? ReadJson(string path) =>
        File.Exists(path) ? ModelFileReader.ParseObject(ModelFileReader.ReadBytes(path, MaxBytes), path) : null;
}
