using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using ClusterLlm.AppHost.Cluster;

namespace ClusterLlm.AppHost.Commands;

/// <summary>Makes a token for a machine that is set up by hand, and shows it this once.</summary>
internal static class JoinToken
{
    // As the Coordinator has it.
    private const int MostUses = 1000;

    public static ImmutableArray<CommandArgument> Arguments { get; } =
    [
        new("ttlSeconds", "Usable for", ArgumentKind.Choice)
        {
            Default = "3600",
            Choices = [new("900", "15 minutes"), new("3600", "an hour"), new("86400", "a day"), new("604800", "a week")],
        },
        new("uses", "Machines", ArgumentKind.Number) { Default = "1", Most = MostUses, Description = "How many may join with it." },
        new("nodeId", "Node id", ArgumentKind.Text) { Placeholder = "any", MostCharacters = 63, Description = "The only node that may join with it." },
    ];

    public static async Task<CommandOutcome> RunAsync(ClusterClient cluster, IReadOnlyDictionary<string, string?> values, CancellationToken cancellationToken)
    {
        var token = await cluster.CreateTokenAsync(
            new
            {
                ttlSeconds = CommandValues.Number(values, "ttlSeconds") ?? 3600,
                uses = CommandValues.Number(values, "uses") ?? 1,
                nodeId = CommandValues.Text(values, "nodeId") is { Length: > 0 } node ? node : null,
                note = "dashboard",
            },
            cancellationToken).ConfigureAwait(false);
        return new(Success: true, $"Token {token.Id} is made; its text is shown this once.") { Markdown = Explain(token) };
    }

    private static string Explain(JoinTokenView token)
    {
        var reach = token.Addresses.All(IsLoopback)
            ? "The Coordinator listens on this machine only: agents of other machines reach it once it is started with `CLUSTERLLM__Cluster__GrpcAddress=0.0.0.0`."
            : $"Agents reach the Coordinator at {string.Join(", ", token.Addresses)}.";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            ```
            {token.Token}
            ```

            {token.Uses} use(s) until {token.ExpiresAt:u}; id {token.Id}. It is a secret: put it into a file that only its owner can read, and name that in `Node:JoinTokenFile`, or give it to `node.sh install --token-file`.

            {reach}

            """);
    }

    private static bool IsLoopback(string address) => IPEndPoint.TryParse(address, out var endpoint) && IPAddress.IsLoopback(endpoint.Address);
}
