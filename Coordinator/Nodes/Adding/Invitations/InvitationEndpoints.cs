using System.Text;
using ClusterLlm.Coordinator.Nodes.Adding.Packages;
using ClusterLlm.Coordinator.Security;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Nodes.Adding.Invitations;

/// <summary>What an invitation shall allow.</summary>
/// <param name="From">Where the machine reaches this API, for example <c>https://192.168.1.10:7443</c>. Default: as this request came, or, when that was by loopback, its HTTPS address.</param>
/// <param name="Platforms">Machines that it is for: osx-arm64, linux-x64, linux-arm64. Default: those whose agents are published, else osx-arm64.</param>
/// <param name="TtlSeconds">Seconds until it expires; default 3600.</param>
/// <param name="NodeId">The only node id that may join with it; default any.</param>
internal sealed record InvitationRequest(string? From = null, string[]? Platforms = null, double? TtlSeconds = null, string? NodeId = null);

/// <summary>A command to paste on the machine. It holds a secret, and is shown this once.</summary>
/// <param name="TokenId">Names the token in lists; <c>DELETE /api/tokens/{id}</c> makes the command worthless.</param>
internal sealed record InvitationContract(string TokenId, string Command, string ScriptSha256, IReadOnlyList<string> Platforms, DateTimeOffset ExpiresAt);

/// <summary><c>POST /api/invitations</c>, and what its command downloads.</summary>
internal static class InvitationEndpoints
{
    private const string DefaultPlatform = "osx-arm64";

    public static void MapInvitationEndpoints(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/invitations", InviteAsync).WithTags("Nodes").WithSummary("Makes a command to paste on a machine that shall become a node. Publishes its agent where that is missing.");
        // Neither holds a secret, and a machine that wants to join has no key yet.
        routes.MapGet("/join.sh", ScriptAsync).WithMetadata(new OpenToAllAttribute()).ExcludeFromDescription();
        routes.MapGet("/join/agents/{platform}", ArchiveAsync).WithMetadata(new OpenToAllAttribute()).ExcludeFromDescription();
    }

    private static async Task<Results<Ok<InvitationContract>, ProblemHttpResult>> InviteAsync(
        InvitationRequest? body, HttpRequest request, ApiAddress api, AgentPackages packages, JoinTokenStore tokens, SecurityState state, ClusterHome home, TimeProvider time, CancellationToken cancellationToken)
    {
        var wanted = body ?? new InvitationRequest();
        var from = (wanted.From ?? Own(request) ?? api.ForOthers())?.TrimEnd('/');
        if (from is null || !Uri.TryCreate(from, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || from.Any(letter => letter is <= ' ' or '\'' or '"' or '`' or '$' or '\\' or ';' or '&' or '|'))
        {
            return Bad($"from is '{wanted.From}'; it must be the address at which the new machine reaches this API, for example https://192.168.1.10:7443. Other machines reach it once Cluster:HttpsAddress is set.");
        }

        if (wanted.Platforms?.FirstOrDefault(one => !AgentPackages.RuntimeIdentifiers.Contains(one)) is { } unknown)
        {
            return Bad($"platforms has '{unknown}'; there are agents for {string.Join(", ", AgentPackages.RuntimeIdentifiers)}.");
        }

        var token = new TokenRequest(wanted.TtlSeconds is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, -1, 1e9)) : TokenRequest.DefaultLifetime, 1, wanted.NodeId, "a command to paste");
        if (token.Problems().ToList() is { Count: > 0 } problems)
        {
            return Bad(string.Join(' ', problems));
        }

        try
        {
            foreach (var platform in wanted.Platforms ?? (AgentPackages.RuntimeIdentifiers.Any(packages.Has) ? [] : [DefaultPlatform]))
            {
                await packages.GetAsync(platform, null, cancellationToken);
            }

            var published = await PublishedAsync(packages, cancellationToken);
            var hash = JoinScript.Hash(JoinScript.Write(state.Authority.Fingerprint, published));
            var made = await tokens.CreateAsync(token, state.Authority.Fingerprint, CoordinatorAddresses.Read(home), cancellationToken);
            return TypedResults.Ok(new InvitationContract(
                made.Id, JoinScript.Command(from, hash, JoinTokenText.Write(made)), hash, [.. published.Select(package => package.RuntimeIdentifier)], time.GetUtcNow() + token.Lifetime));
        }
        catch (AgentPackageException e)
        {
            return TypedResults.Problem(e.Message, statusCode: StatusCodes.Status409Conflict, title: "No agent");
        }
    }

    private static async Task<Results<ContentHttpResult, ProblemHttpResult>> ScriptAsync(AgentPackages packages, SecurityState state, CancellationToken cancellationToken)
    {
        try
        {
            return TypedResults.Text(JoinScript.Write(state.Authority.Fingerprint, await PublishedAsync(packages, cancellationToken)), "text/x-shellscript", Encoding.UTF8);
        }
        catch (AgentPackageException e)
        {
            return TypedResults.Problem(e.Message, statusCode: StatusCodes.Status409Conflict, title: "No agent");
        }
    }

    private static Results<PhysicalFileHttpResult, ProblemHttpResult> ArchiveAsync(string platform, AgentPackages packages) =>
        AgentPackages.RuntimeIdentifiers.Contains(platform) && packages.Has(platform)
            ? TypedResults.PhysicalFile(packages.PathOf(platform), "application/gzip", enableRangeProcessing: true)
            : TypedResults.Problem(
                $"There is no agent for '{(platform.Length > 40 ? platform[..40] : platform)}' here. Publish it: {AgentArchive.PublishCommand("osx-arm64")}", statusCode: StatusCodes.Status404NotFound, title: "No agent");

    private static async Task<IReadOnlyList<AgentPackage>> PublishedAsync(AgentPackages packages, CancellationToken cancellationToken)
    {
        var published = new List<AgentPackage>();
        foreach (var platform in AgentPackages.RuntimeIdentifiers.Where(packages.Has))
        {
            published.Add(await packages.GetAsync(platform, null, cancellationToken));
        }

        return published;
    }

    // Loopback leads another machine to itself.
    private static string? Own(HttpRequest request) =>
        request.Host.HasValue && Uri.TryCreate($"{request.Scheme}://{request.Host}", UriKind.Absolute, out var url) && !url.IsLoopback ? url.GetLeftPart(UriPartial.Authority) : null;

    private static ProblemHttpResult Bad(string detail) => TypedResults.Problem(detail, statusCode: StatusCodes.Status400BadRequest, title: "Invalid invitation");
}
