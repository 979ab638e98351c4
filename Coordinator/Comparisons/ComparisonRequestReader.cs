using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.Coordinator.Comparisons.Workloads;
using ClusterLlm.Coordinator.Deployments;

namespace ClusterLlm.Coordinator.Comparisons;

/// <summary>The body of <c>POST /api/comparisons</c>, for the OpenAPI document.</summary>
/// <param name="Model">A model id of <c>GET /api/models</c>, or a folder that the nodes can see.</param>
/// <param name="Nodes">Only these; default all.</param>
/// <param name="Engines">Only these; default all that are available, but the builtin one only where there is no other.</param>
/// <param name="Workloads">Prompt and output tokens. Default: 128+64, and 2048+64 and 8192+64 for one request as far as the context allows.</param>
/// <param name="Concurrency">Requests at once, for the first workload; the others are measured for one. Default 1, 2, 4, 8.</param>
/// <param name="SmallerModel">Also measured on single nodes.</param>
/// <param name="Layers">A manual plan as a further candidate: node id to [first, end) in stage order.</param>
/// <param name="Rounds">Least rounds; default 5.</param>
/// <param name="MostRounds">Default 12.</param>
/// <param name="SpreadPercent">Half the interval of the deciding ratios at which it ends; default 4.</param>
/// <param name="MinutesLimit">No round begins after it; default 30.</param>
/// <param name="Seed">Of prompts and order; default 1.</param>
internal sealed record ComparisonRequestContract(
    string Model,
    ImmutableArray<string>? Nodes,
    ImmutableArray<string>? Engines,
    ImmutableArray<Workload>? Workloads,
    ImmutableArray<int>? Concurrency,
    string? SmallerModel,
    Dictionary<string, int[]>? Layers,
    int? Rounds,
    int? MostRounds,
    int? SpreadPercent,
    int? MinutesLimit,
    int? Seed);

/// <summary>Reads the body of a comparison request. Pure: every error names the field, the value and the remedy.</summary>
internal static class ComparisonRequestReader
{
    private const int MostTokens = 1024 * 1024;
    private const int MostConcurrency = 512;
    private const int MostCells = 24;
    private static readonly ImmutableArray<string> MoreFields =
        ["engines", "workloads", "smallerModel", "rounds", "mostRounds", "spreadPercent", "minutesLimit", "seed"];

    /// <param name="json">A whole JSON document in UTF-8.</param>
    public static (ComparisonSpec? Spec, IReadOnlyDictionary<string, string[]> Errors) Read(ReadOnlyMemory<byte> json)
    {
        ComparisonSpec? spec = null;
        // "concurrency" is one number for a deployment and may be several here: the deployment's reader would refuse those.
        var (deployment, errors) = DeploymentRequestReader.Read(Without(json, "concurrency", out var concurrency), MoreFields, (body, faults) =>
        {
            var workloads = Workloads(body, faults);
            spec = new ComparisonSpec(
                "", [], Texts(body, "engines", faults), Cells(workloads, Numbers(concurrency, faults), faults), DeploymentRequestReader.Text(body, "smallerModel", faults), [], Repeats(body, faults), DeploymentRequestReader.Number(body, "seed", int.MaxValue, faults) ?? 1);
        });
        return deployment is { } read && spec is not null
            ? (spec with { Model = read.Model, Nodes = read.Nodes, Layers = read.Layers }, errors)
            : (null, errors);
    }

    private static RepeatRule Repeats(JsonElement body, FieldErrors errors)
    {
        var standard = RepeatRule.Default;
        var least = DeploymentRequestReader.Number(body, "rounds", 1000, errors) ?? standard.LeastRounds;
        var most = DeploymentRequestReader.Number(body, "mostRounds", 1000, errors) ?? Math.Max(least, standard.MostRounds);
        if (least < 2 || most < least)
        {
            errors.Add("rounds", $"rounds is {least} and mostRounds {most}; give at least 2 rounds (one has no spread), and no fewer most rounds than rounds.");
        }

        return new RepeatRule(
            least,
            most,
            DeploymentRequestReader.Number(body, "spreadPercent", 100, errors) is { } percent ? percent / 100.0 : standard.TargetSpread,
            DeploymentRequestReader.Number(body, "minutesLimit", 24 * 60, errors) is { } minutes ? TimeSpan.FromMinutes(minutes) : standard.TimeLimit);
    }

    private static ImmutableArray<Cell> Cells(ImmutableArray<Workload> workloads, ImmutableArray<int> concurrency, FieldErrors errors)
    {
        if (workloads.IsEmpty && concurrency.IsEmpty)
        {
            return [];
        }

        var standard = CellChoice.Default(0);
        var lengths = workloads.IsEmpty ? [standard[0].Workload] : workloads;
        var counts = concurrency.IsEmpty ? [.. standard.Where(cell => cell.Workload == standard[0].Workload).Select(cell => cell.Concurrency)] : concurrency;
        ImmutableArray<Cell> cells = [.. counts.Select(count => new Cell(lengths[0], count)), .. lengths.Skip(1).Select(workload => new Cell(workload, counts.Min()))];
        if (cells.Length > MostCells)
        {
            errors.Add("workloads", $"That makes {cells.Length} cells; at most {MostCells} are measured in one comparison.");
        }

        return [.. cells.Distinct()];
    }

    private static ImmutableArray<Workload> Workloads(JsonElement body, FieldErrors errors)
    {
        if (!DeploymentRequestReader.Given(body, "workloads", out var value))
        {
            return [];
        }

        var workloads = ImmutableArray.CreateBuilder<Workload>();
        foreach (var item in value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : (JsonElement[])[value])
        {
            if (item.ValueKind == JsonValueKind.Object
                && Whole(item, "promptTokens") is { } prompt && prompt is >= 1 and <= MostTokens
                && Whole(item, "outputTokens") is { } output && output is >= 2 and <= MostTokens)
            {
                workloads.Add(new Workload(prompt, output));
            }
            else
            {
                errors.Add("workloads", $"workloads has {DeploymentRequestReader.Kind(item)}; give objects such as {{\"promptTokens\": 128, \"outputTokens\": 64}}, with at least 1 and 2 tokens.");
            }
        }

        return workloads.ToImmutable();
    }

    private static int? Whole(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;

    private static ImmutableArray<int> Numbers(JsonElement? value, FieldErrors errors)
    {
        if (value is not { } given || given.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        JsonElement[] items = given.ValueKind == JsonValueKind.Array ? [.. given.EnumerateArray()] : [given];
        if (items.Length > 0 && items.All(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number) && number is >= 1 and <= MostConcurrency))
        {
            return [.. items.Select(item => item.GetInt32()).Distinct().Order()];
        }

        errors.Add("concurrency", $"concurrency is {DeploymentRequestReader.Kind(given)}; give whole numbers from 1 to {MostConcurrency}, for example [1, 2, 4, 8].");
        return [];
    }

    private static ImmutableArray<string> Texts(JsonElement body, string field, FieldErrors errors)
    {
        if (!DeploymentRequestReader.Given(body, field, out var value))
        {
            return [];
        }

        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
        {
            return [.. value.EnumerateArray().Select(item => item.GetString()!).Distinct()];
        }

        errors.Add(field, $"{field} is {DeploymentRequestReader.Kind(value)}; give names, for example [\"mlx\", \"builtin\"].");
        return [];
    }

    /// <summary>The document without one member, and that member; a document that is no object stays as it is.</summary>
    private static ReadOnlyMemory<byte> Without(ReadOnlyMemory<byte> json, string name, out JsonElement? member)
    {
        member = null;
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty(name, out var found))
            {
                return json;
            }

            member = found.Clone();
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer))
            {
                writer.WriteStartObject();
                foreach (var property in document.RootElement.EnumerateObject().Where(property => property.Name != name))
                {
                    property.WriteTo(writer);
                }

                writer.WriteEndObject();
            }

            return buffer.ToArray();
        }
        catch (JsonException)
        {
            // The deployment's reader says what is wrong.
            return json;
        }
    }
}
