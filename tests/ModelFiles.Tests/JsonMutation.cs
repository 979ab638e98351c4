using System.Text;
using System.Text.Json.Nodes;

namespace ClusterLlm.ModelFiles.Tests;

/// <summary>Puts a value of another type into a place of a JSON document.</summary>
internal static class JsonMutation
{
    private static readonly string[] Values =
        ["null", "true", "0", "-1", "1e300", "2147483648", "\"\"", "\"text\"", "\"LONE\"", "[]", "{}", "[null]", "{\"type\":\"Sequence\"}", "[[[[1]]]]"];

    public static byte[] ReplaceOne(string json, Random random)
    {
        JsonNode node = JsonNode.Parse(json)!;
        while (true)
        {
            var stop = random.Next(4) == 0;
            switch (node)
            {
                case JsonObject { Count: > 0 } map:
                    var name = map.ElementAt(random.Next(Math.Min(map.Count, 30))).Key;
                    if (stop || map[name] is not (JsonObject { Count: > 0 } or JsonArray { Count: > 0 }))
                    {
                        map[name] = Value(random);
                        return ToBytes(node.Root);
                    }

                    node = map[name]!;
                    break;
                case JsonArray { Count: > 0 } list:
                    var index = random.Next(list.Count);
                    if (stop || list[index] is not (JsonObject { Count: > 0 } or JsonArray { Count: > 0 }))
                    {
                        list[index] = Value(random);
                        return ToBytes(node.Root);
                    }

                    node = list[index]!;
                    break;
            }
        }
    }

    /// <summary>A lone surrogate can be read from JSON, but not written: it is put in afterwards.</summary>
    private static byte[] ToBytes(JsonNode root) => Encoding.UTF8.GetBytes(root.ToJsonString().Replace("\"LONE\"", "\"\\ud800\"", StringComparison.Ordinal));

    private static JsonNode? Value(Random random) => JsonNode.Parse(Values[random.Next(Values.Length)]);
}
