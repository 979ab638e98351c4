using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.Coordinator.Deployments;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>Reads machines from JSON: a text as on the command line, or a list of <c>{chip, memory, link, count, gpuCores, usable}</c>.</summary>
internal static class MachineReader
{
    private const int MostCopies = 256;

    public static ImmutableArray<Machine> Read(JsonElement body, string field, FieldErrors errors)
    {
        if (!DeploymentRequestReader.Given(body, field, out var value))
        {
            return [];
        }

        var machines = value.ValueKind switch
        {
            JsonValueKind.String => FromText(value.GetString()!, field, errors),
            JsonValueKind.Object => FromObject(value, field, errors),
            JsonValueKind.Array => [.. value.EnumerateArray().SelectMany((item, index) => item.ValueKind == JsonValueKind.String
                ? FromText(item.GetString()!, $"{field}[{index}]", errors)
                : FromObject(item, $"{field}[{index}]", errors))],
            _ => Wrong(value, field, errors),
        };
        foreach (var problem in WhatIfCluster.Problems(machines))
        {
            errors.Add(field, problem.Replace("machines", field, StringComparison.Ordinal));
        }

        return machines;
    }

    private static ImmutableArray<Machine> FromText(string text, string field, FieldErrors errors)
    {
        var (machines, problem) = MachineText.Parse(text);
        if (problem is not null)
        {
            errors.Add(field, problem);
        }

        return machines;
    }

    private static ImmutableArray<Machine> FromObject(JsonElement item, string field, FieldErrors errors)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            return Wrong(item, field, errors);
        }

        var memory = Gigabytes(item, "memory", field, errors);
        if (memory is null && !errors.Has($"{field}.memory"))
        {
            errors.Add($"{field}.memory", $"{field}.memory is missing; give gigabytes, for example 64.");
        }

        var machine = new Machine(
            DeploymentRequestReader.Text(item, "chip", errors) ?? "",
            memory ?? 1,
            DeploymentRequestReader.Number(item, "gpuCores", 1000, errors) ?? 0,
            Gigabytes(item, "usable", field, errors),
            DeploymentRequestReader.Text(item, "link", errors));
        return [.. Enumerable.Repeat(machine, DeploymentRequestReader.Number(item, "count", MostCopies, errors) ?? 1)];
    }

    /// <summary>A number, or a text such as <c>64GB</c>.</summary>
    private static double? Gigabytes(JsonElement item, string name, string field, FieldErrors errors)
    {
        if (!DeploymentRequestReader.Given(item, name, out var value))
        {
            return null;
        }

        var text = value.ValueKind == JsonValueKind.String ? value.GetString()!.Trim() : value.GetRawText();
        text = text.TrimEnd('B', 'b').TrimEnd('i').TrimEnd('G', 'g').Trim();
        if (double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
        {
            return number;
        }

        errors.Add($"{field}.{name}", $"{field}.{name} is {DeploymentRequestReader.Kind(value)}; give gigabytes, for example 64.");
        return null;
    }

    private static ImmutableArray<Machine> Wrong(JsonElement value, string field, FieldErrors errors)
    {
        errors.Add(field, $"{field} is {DeploymentRequestReader.Kind(value)}; give machines, for example [{{\"chip\": \"M4 Pro\", \"memory\": 64, \"link\": \"thunderbolt5\"}}].");
        return [];
    }
}
