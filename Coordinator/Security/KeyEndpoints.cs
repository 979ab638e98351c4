using ClusterLlm.Coordinator.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Security;

/// <summary>A key that is wanted.</summary>
/// <param name="Scopes">Of inference, read, admin; default inference.</param>
internal sealed record KeyCreation(string? Name, IReadOnlyList<string>? Scopes);

/// <summary>A new key. The text is shown this once; the Coordinator keeps its hash.</summary>
internal sealed record CreatedKey(string Id, string Key, string Name, IReadOnlyList<string> Scopes);

/// <summary>A key as it is listed.</summary>
internal sealed record KeyContract(string Id, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt);

/// <summary><c>/api/keys</c>.</summary>
internal static class KeyEndpoints
{
    public static void MapKeyEndpoints(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/api/keys").WithTags("Security");
        keys.MapPost("/", CreateAsync).WithSummary("Makes a key of the HTTP API; its text is shown this once.");
        keys.MapGet("/", ListAsync).WithSummary("All keys, without their texts.");
        keys.MapDelete("/{id}", RevokeAsync).WithSummary("Revokes a key.");
    }

    /// <summary>What is wrong with a key that is wanted, or its scopes.</summary>
    public static (ApiScopes Scopes, string? Problem) Check(string? name, IReadOnlyList<string>? scopes)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > ApiKeyStore.LongestName)
        {
            return (default, $"Give the key a name of 1 to {ApiKeyStore.LongestName} characters: whose it is, or what for.");
        }

        return ApiScopeRules.Parse(scopes ?? ["inference"]) is { } parsed
            ? (parsed, null)
            : (default, $"The scopes are '{string.Join(',', scopes ?? [])}'; give one or more of {string.Join(", ", ApiScopeRules.Names)}.");
    }

    private static async Task<Results<Ok<CreatedKey>, ProblemHttpResult>> CreateAsync(
        KeyCreation creation, ApiKeyStore store, ApiKeyRing ring, CancellationToken cancellationToken)
    {
        var (scopes, problem) = Check(creation.Name, creation.Scopes);
        if (problem is not null)
        {
            return TypedResults.Problem(problem, statusCode: StatusCodes.Status400BadRequest, title: "Invalid key request");
        }

        var (id, text) = await store.CreateAsync(creation.Name!, scopes, cancellationToken);
        ring.Forget();
        return TypedResults.Ok(new CreatedKey(id, text, creation.Name!, ApiScopeRules.Text(scopes).Split(',')));
    }

    private static async Task<IEnumerable<KeyContract>> ListAsync(ApiKeyStore store, CancellationToken cancellationToken) =>
        (await store.ListAsync(cancellationToken)).Select(key => new KeyContract(key.Id, key.Name, ApiScopeRules.Text(key.Scopes).Split(','), key.CreatedAt, key.RevokedAt));

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(string id, ApiKeyStore store, ApiKeyRing ring, CancellationToken cancellationToken)
    {
        var found = await store.RevokeAsync(id, cancellationToken);
        ring.Forget();
        return found ? TypedResults.NoContent() : Problems.NotFound("key", id, (await store.ListAsync(cancellationToken)).Select(key => key.Id));
    }
}
