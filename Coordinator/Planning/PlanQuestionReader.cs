using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.Coordinator.Deployments;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>Reads the body of <c>POST /api/plans</c>: a deployment request with constraints and machines. Pure.</summary>
internal static class PlanQuestionReader
{
    private static readonly ImmutableArray<string> MoreFields =
        ["machines", "add", "link", "useAllNodes", "excludeNodes", "memoryCapBytes", "reserveBytes", "pinnedLayers", "promptTokens"];

    /// <returns>The question, or all that is wrong by field.</returns>
    public static (PlanQuestion? Question, IReadOnlyDictionary<string, string[]> Errors) Read(ReadOnlyMemory<byte> json)
    {
        ImmutableArray<Machine> machines = [];
        ImmutableArray<Machine> added = [];
        var constraints = PlanConstraints.None;
        var result = DeploymentRequestReader.Read(json, MoreFields, (body, errors) =>
        {
            machines = MachineReader.Read(body, "machines", errors);
            added = MachineReader.Read(body, "add", errors);
            constraints = Constraints(body, errors);
        });
        return (result.Spec is { } spec ? new PlanQuestion(spec, machines, added, constraints) : null, result.Errors);
    }

    private static PlanConstraints Constraints(JsonElement body, FieldErrors errors) => new(
        DeploymentRequestReader.Given(body, "useAllNodes", out var all) && all.ValueKind == JsonValueKind.True,
        Names(body, "excludeNodes", errors),
        Caps(body, errors),
        Reserve(body, errors),
        LayersReader.Read(body, "pinnedLayers", errors),
        DeploymentRequestReader.Number(body, "promptTokens", 16 * 1024 * 1024, errors) ?? PlanConstraints.None.PromptTokens,
        DeploymentRequestReader.Text(body, "link", errors));

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
