using System.Collections.Immutable;
using ClusterLlm.Coordinator.Deployments;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>Reads the body of <c>POST /api/plans</c>: a deployment request with machines. Pure.</summary>
internal static class PlanQuestionReader
{
    private static readonly ImmutableArray<string> MoreFields = ["machines", "add"];

    /// <returns>The question, or all that is wrong by field.</returns>
    public static (PlanQuestion? Question, IReadOnlyDictionary<string, string[]> Errors) Read(ReadOnlyMemory<byte> json)
    {
        ImmutableArray<Machine> machines = [];
        ImmutableArray<Machine> added = [];
        var result = DeploymentRequestReader.Read(json, MoreFields, (body, errors) =>
        {
            machines = MachineReader.Read(body, "machines", errors);
            added = MachineReader.Read(body, "add", errors);
        });
        return (result.Spec is { } spec ? new PlanQuestion(spec, machines, added) : null, result.Errors);
    }
}
