using System.Collections.Immutable;
using ClusterLlm.Coordinator.Models;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Why a plan or deployment was not made, as problem details.</summary>
internal static class DeploymentProblems
{
    /// <summary>404 for a model that nobody has, 422 for one that can't be used and for a plan that can't be made.</summary>
    public static ProblemHttpResult NotPlanned(PlanningResult result) => result switch
    {
        PlanningResult.NoModel { Resolution: ModelResolution.Unknown unknown } =>
            Problem(StatusCodes.Status404NotFound, "Unknown model", unknown.Message, "model", new() { ["nearest"] = unknown.Nearest }),
        PlanningResult.NoModel none => Problem(StatusCodes.Status422UnprocessableEntity, "Unusable model", none.Summary, "model", []),
        PlanningResult.Refused refused => TypedResults.Problem(
            refused.Summary,
            statusCode: StatusCodes.Status422UnprocessableEntity,
            title: "No plan",
            extensions: new Dictionary<string, object?> { ["rejections"] = RejectionContract.From(refused.Rejections) }),
        _ => throw new InvalidOperationException($"{result.GetType().Name} is not a refusal."),
    };

    private static ProblemHttpResult Problem(int status, string title, string detail, string field, Dictionary<string, object?> extensions)
    {
        extensions["errors"] = ImmutableDictionary<string, string[]>.Empty.Add(field, [detail]);
        return TypedResults.Problem(detail, statusCode: status, title: title, extensions: extensions);
    }
}
