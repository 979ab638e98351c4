using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Reads the body of a deployment or plan request. Pure: every error names the field, the value and the remedy.</summary>
internal static partial class DeploymentRequestReader
{
    private const int MostTokens = 16 * 1024 * 1024;
    private const int MostSequences = 4096;
    private static readonly ImmutableArray<string> Fields =
        ["model", "name", "objective", "contextTokens", "concurrency", "engine", "nodes", "layers", "retryBadPlan", .. ConstraintsReader.Fields];

    private static readonly ImmutableArray<string> Engines = ["auto", "builtin", "mlx", "exo"];

    /// <param name="json">A whole JSON document in UTF-8.</param>
    public static DeploymentRequestResult Read(ReadOnlyMemory<byte> json) => Read(json, [], (_, _) => { });

    /// <param name="moreFields">Fields that are read by <paramref name="readMore"/>.</param>
    public static DeploymentRequestResult Read(
        ReadOnlyMemory<byte> json, ImmutableArray<string> moreFields, Action<JsonElement, FieldErrors> readMore)
    {
        var errors = new FieldErrors();
        try
        {
            // The keys of "layers" are in stage order, so the document is read as it stands, and a key given twice is an error.
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                errors.Add("body", $"The body is {Kind(document.RootElement)}; send a JSON object such as {{\"model\": \"demo-3m\"}}.");
                return new DeploymentRequestResult(null, errors.ToDictionary());
            }

            var spec = ReadObject(document.RootElement, [.. Fields, .. moreFields], errors);
            readMore(document.RootElement, errors);
            return new DeploymentRequestResult(errors.IsEmpty ? spec : null, errors.ToDictionary());
        }
        catch (JsonException e)
        {
            errors.Add("body", $"The body is not valid JSON: {e.Message}");
            return new DeploymentRequestResult(null, errors.ToDictionary());
        }
    }

    /// <summary>Whether a deployment may be called so: a DNS label.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    /// <summary>A name made from a model's id or folder.</summary>
    public static string DefaultName(string model)
    {
        var last = model.TrimEnd('/', '\\').Split('/', '\\')[^1];
        var label = new string([.. last.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]).Trim('-');
        label = (label.Length > 63 ? label[..63] : label).Trim('-');
        return label.Length == 0 ? "model" : label;
    }

    private static DeploymentSpec ReadObject(JsonElement body, ImmutableArray<string> fields, FieldErrors errors)
    {
        foreach (var field in body.EnumerateObject().Select(property => property.Name).Where(name => !fields.Contains(name)))
        {
            var nearest = NearestNames.Find(field, fields, 1);
            errors.Add(field, nearest.IsEmpty
                ? $"There is no field '{field}'; known are {string.Join(", ", fields)}."
                : $"There is no field '{field}'; '{nearest[0]}' is near to it.");
        }

        var model = Text(body, "model", errors) ?? "";
        if (model.Length == 0 && !errors.Has("model"))
        {
            errors.Add("model", "model is missing: give a model id of GET /api/models, or a folder that the nodes can see.");
        }

        var name = Text(body, "name", errors);
        if (name is not null && !IsName(name))
        {
            errors.Add("name", $"name is '{name}'; use 1 to 63 lower-case letters, digits or '-', beginning and ending with a letter or digit.");
        }

        var nodes = Nodes(body, errors);
        var layers = LayersReader.Read(body, errors);
        var objective = Objective(body, errors);
        return new DeploymentSpec(
            name ?? DefaultName(model),
            model,
            objective ?? (nodes.IsEmpty ? PlacementObjective.Latency : PlacementObjective.Balanced),
            Number(body, "contextTokens", MostTokens, errors) ?? 0,
            Number(body, "concurrency", MostSequences, errors) ?? 4,
            Engine(body, errors),
            nodes,
            layers,
            UseAllNodes: objective is null && !nodes.IsEmpty)
        {
            Constraints = ConstraintsReader.Read(body, errors),
            RetryBadPlan = ConstraintsReader.Flag(body, "retryBadPlan", errors),
        };
    }

    private static string Engine(JsonElement body, FieldErrors errors)
    {
        var engine = Text(body, "engine", errors) ?? "auto";
        if (!Engines.Contains(engine))
        {
            errors.Add("engine", $"engine is '{engine}'; it must be one of {string.Join(", ", Engines)}.");
        }

        return engine;
    }

    private static PlacementObjective? Objective(JsonElement body, FieldErrors errors)
    {
        if (Text(body, "objective", errors) is not { } text)
        {
            return null;
        }

        // Enum.TryParse would also take numbers.
        var known = Enum.GetValues<PlacementObjective>().Where(value => value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)).ToArray();
        if (known.Length == 0)
        {
            errors.Add("objective", $"objective is '{text}'; it must be one of latency, throughput, capacity, balanced.");
            return null;
        }

        return known[0];
    }

    private static ImmutableArray<string> Nodes(JsonElement body, FieldErrors errors)
    {
        if (!Given(body, "nodes", out var value))
        {
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
        {
            errors.Add("nodes", $"nodes is {Kind(value)}; give node ids, for example [\"node-1\", \"node-2\"].");
            return [];
        }

        ImmutableArray<string> nodes = [.. value.EnumerateArray().Select(item => item.GetString()!)];
        if (nodes.GroupBy(node => node).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            errors.Add("nodes", $"nodes names '{twice.Key}' {twice.Count()} times; name each node once.");
        }

        return nodes;
    }

    internal static string? Text(JsonElement body, string field, FieldErrors errors)
    {
        if (!Given(body, field, out var value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: <= 4096 } text)
        {
            return text;
        }

        errors.Add(field, $"{field} is {Kind(value)}; give a string of at most 4096 characters.");
        return null;
    }

    internal static int? Number(JsonElement body, string field, int most, FieldErrors errors)
    {
        if (!Given(body, field, out var value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 1 && number <= most)
        {
            return number;
        }

        errors.Add(field, $"{field} is {Kind(value)}; give a whole number from 1 to {most}.");
        return null;
    }

    /// <summary>Whether a field is there and not null.</summary>
    internal static bool Given(JsonElement body, string field, out JsonElement value) =>
        body.TryGetProperty(field, out value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A value for an error text: short ones as they are.</summary>
    internal static string Kind(JsonElement value)
    {
        var raw = value.GetRawText();
        return raw.Length <= 60 ? raw : $"{raw[..57]}...";
    }

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", RegexOptions.NonBacktracking)]
    private static partial Regex NamePattern();
}
