using System.CommandLine;
using System.Globalization;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Security;

/// <summary><c>token create|list|revoke</c>: join tokens on the command line of the Coordinator's machine.</summary>
internal static class TokenCommand
{
    private static readonly Option<string> Ttl = new("--ttl") { Description = "How long it can be used: 90s, 30m, 1h, 2d.", DefaultValueFactory = _ => "1h" };
    private static readonly Option<int> Uses = new("--uses") { Description = "How many machines may join with it.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string?> Node = new("--node") { Description = "The only node id that may join with it." };
    private static readonly Option<string> Note = new("--note") { Description = "For people.", DefaultValueFactory = _ => "" };
    private static readonly Argument<string> Id = new("id") { Description = "The token's id, as 'token list' shows it." };

    public static async Task<int> RunAsync(string[] args)
    {
        var create = new Command("create", "Makes a join token and prints it: only this once.") { Ttl, Uses, Node, Note };
        create.SetAction((parsed, cancelled) => CreateAsync(parsed, cancelled));
        var list = new Command("list", "Lists join tokens, without their secrets.");
        list.SetAction((_, cancelled) => CommandStore.RunAsync(store => ListAsync(store, cancelled), cancelled));
        var revoke = new Command("revoke", "Revokes a join token. Nodes that joined with it stay.") { Id };
        revoke.SetAction((parsed, cancelled) => CommandStore.RunAsync(store => RevokeAsync(store, parsed.GetRequiredValue(Id), cancelled), cancelled));
        return await new RootCommand("Join tokens: what a machine needs to become a node.") { create, list, revoke }.Parse(args).InvokeAsync();
    }

    private static async Task<int> CreateAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (Durations.Parse(parsed.GetRequiredValue(Ttl)) is not { } lifetime)
        {
            await Console.Error.WriteLineAsync($"--ttl is \"{parsed.GetValue(Ttl)}\"; write for example 90s, 30m, 1h or 2d.");
            return 1;
        }

        var request = new TokenRequest(lifetime, parsed.GetValue(Uses), parsed.GetValue(Node), parsed.GetRequiredValue(Note));
        if (request.Problems().ToList() is { Count: > 0 } problems)
        {
            await Console.Error.WriteLineAsync(string.Join(' ', problems));
            return 1;
        }

        return await CommandStore.RunAsync(store => CreateAsync(store, request, cancellationToken), cancellationToken);
    }

    /// <summary>The token alone goes to standard output, so that a script can take it; what people should know goes beside it.</summary>
    private static async Task<int> CreateAsync(CommandStore store, TokenRequest request, CancellationToken cancellationToken)
    {
        var addresses = CoordinatorAddresses.Read(store.Home);
        var token = await store.Tokens.CreateAsync(request, store.Authority, addresses, cancellationToken);
        Console.WriteLine(JoinTokenText.Write(token));
        var ends = (TimeProvider.System.GetUtcNow() + request.Lifetime).ToString("u", CultureInfo.InvariantCulture);
        await Console.Error.WriteLineAsync($"id {token.Id}, {request.Uses} use(s) until {ends}, authority {token.Authority}");
        await Console.Error.WriteLineAsync(addresses switch
        {
            { IsEmpty: true } => "No Coordinator has run here yet, so the token holds no address: the agent needs Node:CoordinatorUrl.",
            _ when addresses.All(IsLoopback) => $"The Coordinator listens at {string.Join(", ", addresses)} only, so agents of this machine alone can use it; Cluster:GrpcAddress=0.0.0.0 lets others reach it.",
            _ => $"Agents reach the Coordinator at {string.Join(", ", addresses)}.",
        });
        return 0;
    }

    private static async Task<int> ListAsync(CommandStore store, CancellationToken cancellationToken)
    {
        var now = TimeProvider.System.GetUtcNow();
        foreach (var token in await store.Tokens.ListAsync(cancellationToken))
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{token.Id}  {token.State(now),-8}  {token.Uses}/{token.MaxUses} uses  until {token.ExpiresAt:u}  {token.NodeId ?? "any node"}  {token.Note}").TrimEnd());
        }

        return 0;
    }

    private static async Task<int> RevokeAsync(CommandStore store, string id, CancellationToken cancellationToken)
    {
        if (await store.Tokens.RevokeAsync(id, cancellationToken))
        {
            Console.WriteLine($"Token {id} is revoked.");
            return 0;
        }

        await Console.Error.WriteLineAsync($"There is no token '{id}'; 'token list' shows those there are.");
        return 1;
    }

    private static bool IsLoopback(string address) =>
        System.Net.IPEndPoint.TryParse(address, out var endpoint) && System.Net.IPAddress.IsLoopback(endpoint.Address);
}
