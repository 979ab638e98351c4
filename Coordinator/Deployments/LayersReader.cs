using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Reads a manual plan: <c>{"node-1": [0, 10], "node-2": [10, 30]}</c>, half-open, in stage order. Pure.</summary>
internal static class LayersReader
{
    public static ImmutableArray<ManualStage> Read(JsonElement body, FieldErrors errors) => Read(body, "layers", errors);

    /// <summary>The stages in the order in which they stand; whether they make the whole model is checked against the model later.</summary>
    public static ImmutableArray<ManualStage> Read(JsonElement body, string field, FieldErrors errors)
    {
        if (!DeploymentRequestReader.Given(body, field, out var layers))
        {
            return [];
        }

        if (layers.ValueKind != JsonValueKind.Object)
        {
            errors.Add(field, $"{field} is {DeploymentRequestReader.Kind(layers)}; give node ids with half-open ranges, for example {{\"node-1\": [0, 10], \"node-2\": [10, 30]}}.");
            return [];
        }

        var stages = ImmutableArray.CreateBuilder<ManualStage>();
        foreach (var stage in layers.EnumerateObject())
        {
            if (Range(stage.Value) is not var (first, end))
            {
                errors.Add($"{field}.{stage.Name}", $"{field}.{stage.Name} is {DeploymentRequestReader.Kind(stage.Value)}; give two whole numbers, first and end, for example [0, 10].");
            }
            else if (first < 0 || end <= first)
            {
                errors.Add($"{field}.{stage.Name}", $"{field}.{stage.Name} is [{first}, {end}], which holds no layer; the first number must be ≥ 0 and less than the second.");
            }
            else
            {
                stages.Add(new ManualStage(stage.Name, first, end));
            }
        }

        if (stages.Count == 0 && !errors.Has(field))
        {
            errors.Add(field, $"{field} is empty; leave it out to have the layers cut automatically.");
        }

        return stages.ToImmutable();
    }

    private static (int First, int End)? Range(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != 2)
        {
            return null;
        }

        return value[0].ValueKind == JsonValueKind.Number && value[1].ValueKind == JsonValueKind.Number
            && value[0].TryGetInt32(out var first) && value[1].TryGetInt32(out var end)
            ? (first, end)
            : null;
    }
}
