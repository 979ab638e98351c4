using ClusterLlm.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Problem details for <c>/api</c>.</summary>
internal static class Problems
{
    /// <summary>404 that names what was asked and what comes close.</summary>
    /// <param name="kind">What was looked for, for example <c>node</c>.</param>
    public static ProblemHttpResult NotFound(string kind, string asked, IEnumerable<string> known)
    {
        var nearest = NearestNames.Find(asked, known, 3);
        var hint = nearest.IsEmpty ? $"GET /api/{kind}s lists those there are." : $"Near to it: {string.Join(", ", nearest)}.";
        return TypedResults.Problem(
            $"There is no {kind} '{asked}'. {hint}",
            statusCode: StatusCodes.Status404NotFound,
            title: $"Unknown {kind}",
            extensions: new Dictionary<string, object?> { ["nearest"] = nearest });
    }

    public static ProblemHttpResult Conflict(string detail) =>
        TypedResults.Problem(detail, statusCode: StatusCodes.Status409Conflict, title: "Conflict");
}
