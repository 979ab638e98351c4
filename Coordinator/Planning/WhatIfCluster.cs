using System.Collections.Immutable;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>A cluster of Macs that exist only in a question. Pure.</summary>
internal static class WhatIfCluster
{
    private const double LargestMemoryGigabytes = 4096;

    /// <summary>What is wrong with the machines: field, value, remedy; empty when nothing is.</summary>
    public static ImmutableArray<string> Problems(ImmutableArray<Machine> machines) =>
    [
        .. machines.SelectMany((machine, index) => Problems(machine, $"machines[{index}]")),
    ];

    /// <param name="engine">The engine that all of them run.</param>
    public static ClusterSnapshot Build(ImmutableArray<Machine> machines, string engine) =>
        new([.. machines.Select((machine, index) => Node(machine, index, engine))], []) { Knowledge = BuiltInKnowledge.Planning };

    private static NodeCapacity Node(Machine machine, int index, string engine)
    {
        var total = (long)(machine.MemoryGigabytes * (1L << 30));
        var (usable, assumption) = machine.UsableGigabytes is { } known
            ? ((long)(known * (1L << 30)), (string?)null)
            : (WiredLimit.DefaultBytes(total), FormattableString.Invariant(
                $"its GPU may wire {WiredLimit.DefaultBytes(total) / (double)(1L << 30):0.0} of {machine.MemoryGigabytes:0} GiB by the conservative rule; a real node reads its limit, and iogpu.wired_limit_mb can raise it."));
        return new NodeCapacity(
            FormattableString.Invariant($"mac-{index + 1:00}"),
            FormattableString.Invariant($"machine-{index + 1:00}"),
            machine.Chip,
            machine.GpuCores,
            0,
            total,
            usable,
            0,
            [engine],
            null)
        {
            Link = machine.Link,
            MemoryAssumption = assumption,
        };
    }

    private static IEnumerable<string> Problems(Machine machine, string field)
    {
        if (string.IsNullOrWhiteSpace(machine.Chip))
        {
            yield return $"{field}.chip is missing; give for example \"M4 Pro\".";
        }

        if (!(machine.MemoryGigabytes > 0 && machine.MemoryGigabytes <= LargestMemoryGigabytes))
        {
            yield return FormattableString.Invariant($"{field}.memory is {machine.MemoryGigabytes} GB; give a number above 0 and at most {LargestMemoryGigabytes}.");
        }

        if (machine.UsableGigabytes is { } usable && !(usable > 0 && usable <= machine.MemoryGigabytes))
        {
            yield return FormattableString.Invariant($"{field}.usable is {usable} GB; give a number above 0 and at most the machine's {machine.MemoryGigabytes}.");
        }

        if (machine.Link is { } link && BuiltInKnowledge.Planning.Link(link) is null)
        {
            yield return $"{field}.link is \"{link}\"; known links: {string.Join(", ", BuiltInKnowledge.Planning.Links.Select(known => known.Name))}.";
        }

        if (machine.GpuCores is < 0 or > 1000)
        {
            yield return $"{field}.gpuCores is {machine.GpuCores}; give 1 to 1000, or leave it out.";
        }
    }
}
