using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>Strings of a JSON document that may hold what is no text: lone surrogates only show when a string is asked for.</summary>
internal static class JsonText
{
    public static string Name(JsonProperty property, string path)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException exception)
        {
            throw new ModelFileException(path, null, "has a name that is not valid Unicode text", exception);
        }
    }

    public static string Value(JsonElement text, string path, string? item)
    {
        try
        {
            return text.GetString() ?? "";
        }
        catch (InvalidOperationException exception)
        {
            throw new ModelFileException(path, item, "is not valid Unicode text", exception);
        }
    }
}
