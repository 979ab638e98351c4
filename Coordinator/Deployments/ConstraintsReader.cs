using System.Collections.Immutable;
using System.Text.Json;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Reads the limits that a plan must keep. Pure.</summary>
internal static class ConstraintsReader
{
    /// <summary>The fields, for error texts and for what a body may hold.</summary>
    public static ImmutableArray<string> Fields { get; } =
        ["link", "useAllNodes", "excludeNodes", "memoryCapBytes", "reserveBytes", "pinnedLayers", "promptTokens"];

    public static PlanConstraints Read(JsonElement body, FieldErrors errors) => new(
        Flag(body, "useAllNodes", errors),
        Names(body, "excludeNodes", errors),
        Caps(body, errors),
        Reserve(body, errors),
        LayersReader.Read(body, "pinnedLayers", errors),
        DeploymentRequestReader.Number(body, "promptTokens", 16 * 1024 * 1024, errors) ?? PlanConstraints.None.PromptTokens,
        DeploymentRequestReader.Text(body, "link", errors));

    internal static bool Flag(JsonElement body, string field, FieldErrors errors)
    {
        if (!DeploymentRequestReader.Given(body, field, out var value))
        {
            return false;
        }

        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            errors.Add(field, $"{field} is {DeploymentRequestReader.Kind(value)}; give true or false.");
        }

        return value.ValueKind == JsonValueKind.True;
    }

    private static ImmutableArray<string> Names(JsonElement body, string field, FieldErrors errors)
    {
        if (!DeploymentRequestReader.Given(body, field, out var value))
        {
            return [];
        }

        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
        {
            return [.. value.EnumerateArray().Select(item => item.GetString()!)];
        }

        errors.Add(field, $"{field} is {DeploymentRequestReader.Kind(value)}; give node ids, for example [\"node-1\"].");
        return [];
    }

    private static ImmutableDictionary<string, long> Caps(JsonElement body, FieldErrors errors)
    {
        var caps = ImmutableDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        if (!DeploymentRequestReader.Given(body, "memoryCapBytes", out var value))
        {
            return caps.ToImmutable();
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            errors.Add("memoryCapBytes", $"memoryCapBytes is {DeploymentRequestReader.Kind(value)}; give bytes by node, for example {{\"node-1\": 8000000000}}.");
            return caps.ToImmutable();
        }

        foreach (var cap in value.EnumerateObject())
        {
            if (cap.Value.ValueKind == JsonValueKind.Number && cap.Value.TryGetInt64(out var bytes) && bytes >= 0)
            {
                caps[cap.Name] = bytes;
            }
            else
            {
                errors.Add($"memoryCapBytes.{cap.Name}", $"memoryCapBytes.{cap.Name} is {DeploymentRequestReader.Kind(cap.Value)}; give whole bytes ≥ 0.");
            }
        }

        return caps.ToImmutable();
    }

    private static long Reserve(JsonElement body, FieldErrors errors)
    {
        if (!DeploymentRequestReader.Given(body, "reserveBytes", out var value))
        {
            return 0;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var bytes) && bytes >= 0)
        {
            return bytes;
        }

        errors.Add("reserveBytes", $"reserveBytes is {DeploymentRequestReader.Kind(value)}; give whole bytes ≥ 0.");
        return 0;
    }
}
