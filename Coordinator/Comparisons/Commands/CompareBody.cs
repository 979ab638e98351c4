using System.Globalization;
using System.Text.Json.Nodes;

namespace ClusterLlm.Coordinator.Comparisons.Commands;

/// <summary>How often and how long.</summary>
internal readonly record struct RoundOptions(int? Rounds, int? MostRounds, int? Minutes);

/// <summary>Options of the command line as a body of the API. Pure.</summary>
internal static class CompareBody
{
    /// <returns>The body, or what is wrong with an option.</returns>
    public static (JsonObject? Body, string? Problem) Of(
        string model, string[] nodes, string[] engines, string? workloads, string? concurrency, string? smallerModel, string[] layers, RoundOptions rounds)
    {
        var body = new JsonObject { ["model"] = model };
        if (layers.FirstOrDefault(stage => !AddStage(body, stage)) is { } unclear)
        {
            return (null, $"--layers has \"{unclear}\"; give each stage as node=first-last, for example node-1=0-11,node-2=12-23.");
        }

        Set(body, "nodes", nodes);
        Set(body, "engines", engines);
        if (workloads is not null)
        {
            var list = new JsonArray();
            foreach (var part in Parts(workloads))
            {
                if (part.Split('+') is not [var prompt, var output] || !Number(prompt, out var promptTokens) || !Number(output, out var outputTokens))
                {
                    return (null, $"--workloads has \"{part}\"; give prompt+output tokens, for example 128+64.");
                }

                list.Add(new JsonObject { ["promptTokens"] = promptTokens, ["outputTokens"] = outputTokens });
            }

            body["workloads"] = list;
        }

        if (concurrency is not null)
        {
            if (Parts(concurrency).FirstOrDefault(part => !Number(part, out _)) is { } wrong)
            {
                return (null, $"--concurrency has \"{wrong}\"; give whole numbers, for example 1,2,4,8.");
            }

            body["concurrency"] = new JsonArray([.. Parts(concurrency).Select(part => (JsonNode)int.Parse(part, CultureInfo.InvariantCulture))]);
        }

        foreach (var (name, value) in (ReadOnlySpan<(string, JsonNode?)>)[("smallerModel", smallerModel), ("rounds", rounds.Rounds), ("mostRounds", rounds.MostRounds), ("minutesLimit", rounds.Minutes)])
        {
            if (value is not null)
            {
                body[name] = value;
            }
        }

        return (body, null);
    }

    private static void Set(JsonObject body, string name, string[] values)
    {
        if (values.Length > 0)
        {
            body[name] = new JsonArray([.. values.Select(value => (JsonNode)value)]);
        }
    }

    /// <summary>People count the last layer in; the API's ranges are half open.</summary>
    private static bool AddStage(JsonObject body, string stage)
    {
        if (stage.Split('=') is not [{ Length: > 0 } node, var range] || range.Split('-') is not [var first, var last] || !Number(first, out var from) || !Number(last, out var to) || to == int.MaxValue)
        {
            return false;
        }

        body["layers"] ??= new JsonObject();
        return body["layers"]!.AsObject().TryAdd(node, new JsonArray(from, to + 1));
    }

    private static string[] Parts(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static bool Number(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
