using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>Reads <c>weight_map</c> (tensor name to file name) of <c>model.safetensors.index.json</c>.</summary>
internal static class ShardMap
{
    private const long MaxBytes = 100_000_000;

    public static IReadOnlyDictionary<string, string> Read(string path) =>
        Parse(ModelFileReader.ReadBytes(path, MaxBytes), path);

    public static IReadOnlyDictionary<string, string> Parse(ReadOnlyMemory<byte> json, string path)
    {
        JsonElement root = ModelFileReader.ParseObject(json, path);
        if (!root.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
        {
            throw new ModelFileException(path, "weight_map", $"is {ModelFileReader.Describe(map)}, not an object of tensor names and files");
        }

        Dictionary<string, string> files = new(StringComparer.Ordinal);
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            var name = JsonText.Name(entry, path);
            var file = entry.Value.ValueKind == JsonValueKind.String ? JsonText.Value(entry.Value, path, name) : null;
            if (file is null || !IsPlainName(file))
            {
                throw new ModelFileException(path, name, $"maps to {ModelFileReader.Describe(entry.Value)}, which is no file name within the folder");
            }

            files[name] = file;
        }

        return files;
    }

    /// <summary>An index from the network must not make a node read outside the model's folder.</summary>
    private static bool IsPlainName(string file) =>
        file.Length is > 0 and <= 255 && file is not ("." or "..") && file.AsSpan().IndexOfAny("/\\:\0") < 0;
}
