using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Security;

/// <summary>What a token shall allow.</summary>
/// <param name="TtlSeconds">Seconds until it expires; default 3600.</param>
/// <param name="Uses">Machines that may join with it; default 1.</param>
/// <param name="NodeId">The only node id that may join with it; default any.</param>
internal sealed record TokenCreation(double? TtlSeconds, int? Uses, string? NodeId, string? Note)
{
    public TokenRequest ToRequest() => new(
        TtlSeconds is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, -1, 1e9)) : TokenRequest.DefaultLifetime, Uses ?? 1, NodeId, Note ?? "");
}

/// <summary>A new token. The text is shown this once; the Coordinator keeps its hash.</summary>
internal sealed record CreatedToken(string Id, string Token, DateTimeOffset ExpiresAt, int Uses, string Authority, IReadOnlyList<string> Addresses);

/// <summary>A token as it is listed.</summary>
/// <param name="State">usable, expired, used or revoked.</param>
internal sealed record TokenContract(
    string Id, string State, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, int Uses, int MaxUses, string? NodeId, string Note);

/// <summary>The cluster's authority, for everybody to compare.</summary>
/// <param name="Pem">The certificate.</param>
internal sealed record AuthorityContract(string ClusterId, string Fingerprint, string Pem);

/// <summary><c>/api/tokens</c>.</summary>
internal static class TokenEndpoints
{
    public static void MapTokenEndpoints(this IEndpointRouteBuilder routes)
    {
        var tokens = routes.MapGroup("/api/tokens").WithTags("Security");
        tokens.MapPost("/", CreateAsync).WithSummary("Makes a join token; its text is shown this once.");
        tokens.MapGet("/", ListAsync).WithSummary("All join tokens, without their secrets.");
        tokens.MapDelete("/{id}", RevokeAsync).WithSummary("Revokes a join token. Nodes that joined with it stay.");
        routes.MapGet("/api/authority", (SecurityState state) => new AuthorityContract(
                state.Authority.ClusterId, state.Authority.Fingerprint.ToString(), state.Authority.Certificate.ExportCertificatePem()))
            .WithTags("Security").WithSummary("The cluster's certificate authority and its fingerprint.");
    }

    private static async Task<Results<Ok<CreatedToken>, ProblemHttpResult>> CreateAsync(
        TokenCreation? creation, JoinTokenStore tokens, SecurityState state, ClusterHome home, TimeProvider time, CancellationToken cancellationToken)
    {
        var request = (creation ?? new TokenCreation(null, null, null, null)).ToRequest();
        if (request.Problems().ToList() is { Count: > 0 } problems)
        {
            return TypedResults.Problem(string.Join(' ', problems), statusCode: StatusCodes.Status400BadRequest, title: "Invalid token request");
        }

        var addresses = CoordinatorAddresses.Read(home);
        var token = await tokens.CreateAsync(request, state.Authority.Fingerprint, addresses, cancellationToken);
        return TypedResults.Ok(new CreatedToken(
            token.Id, JoinTokenText.Write(token), time.GetUtcNow() + request.Lifetime, request.Uses, token.Authority.ToString(), addresses));
    }

    private static async Task<IEnumerable<TokenContract>> ListAsync(JoinTokenStore tokens, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return (await tokens.ListAsync(cancellationToken)).Select(token => new TokenContract(
            token.Id, token.State(now), token.CreatedAt, token.ExpiresAt, token.Uses, token.MaxUses, token.NodeId, token.Note));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(string id, JoinTokenStore tokens, CancellationToken cancellationToken) =>
        await tokens.RevokeAsync(id, cancellationToken)
            ? TypedResults.NoContent()
            : Problems.NotFound("token", id, (await tokens.ListAsync(cancellationToken)).Select(token => token.Id));
}
