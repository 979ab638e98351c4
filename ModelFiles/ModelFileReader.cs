using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>Reads a model's small files whole, with a limit, and turns what the system says into <see cref="ModelFileException"/>.</summary>
internal static class ModelFileReader
{
    /// <summary>Reads a file of at most <paramref name="maxBytes"/> bytes.</summary>
    public static byte[] ReadBytes(string path, long maxBytes)
    {
        try
        {
            var length = new FileInfo(path).Length;
            if (length > maxBytes)
            {
                throw new ModelFileException(path, null, $"has {length} bytes, more than the {maxBytes} that such a file may have; it is not what its name says");
            }

            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelFileException(path, null, "does not exist; copy or download the model's folder completely", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException(path, null, $"can't be read: {exception.Message}", exception);
        }
    }

    /// <summary>Parses a JSON document whose root is an object.</summary>
    public static JsonElement ParseObject(ReadOnlyMemory<byte> json, string path)
    {
        JsonElement root = Parse(json, path);
        return root.ValueKind == JsonValueKind.Object
            ? root
            : throw new ModelFileException(path, null, $"holds a JSON {Describe(root)} where an object is expected");
    }

    /// <summary>A JSON value in a message: short, one line.</summary>
    public static string Describe(JsonElement value)
    {
        const int Limit = 60;
        if (value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
        {
            return value.ValueKind == JsonValueKind.Object ? "an object" : "an array";
        }

        var text = value.ValueKind == JsonValueKind.Undefined ? "nothing" : value.GetRawText();
        return text.Length <= Limit ? text : string.Concat(text.AsSpan(0, Limit), "…");
    }

    private static JsonElement Parse(ReadOnlyMemory<byte> json, string path)
    {
        try
        {
            // A byte order mark is no JSON, but editors leave it and Python's readers take it.
            ReadOnlyMemory<byte> text = json.Span.StartsWith("\uFEFF"u8) ? json[3..] : json;
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            throw new ModelFileException(
                path, null, $"is not JSON (line {exception.LineNumber + 1}, byte {exception.BytePositionInLine}); copy or download it again", exception);
        }
    }
}
