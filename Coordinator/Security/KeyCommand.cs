using System.CommandLine;
using System.Globalization;

namespace ClusterLlm.Coordinator.Security;

/// <summary><c>key create|list|revoke</c>: keys of the HTTP API on the command line of the Coordinator's machine.</summary>
internal static class KeyCommand
{
    private static readonly Option<string> Name = new("--name") { Description = "Whose it is, or what for.", Required = true };
    private static readonly Option<string> Scopes = new("--scopes")
    {
        Description = $"Of {string.Join(", ", ApiScopeRules.Names)}, with commas.",
        DefaultValueFactory = _ => "inference",
    };

    private static readonly Argument<string> Id = new("id") { Description = "The key's id, as 'key list' shows it." };

    public static async Task<int> RunAsync(string[] args)
    {
        var create = new Command("create", "Makes a key and prints it: only this once.") { Name, Scopes };
        create.SetAction((parsed, cancelled) => CreateAsync(parsed.GetRequiredValue(Name), parsed.GetRequiredValue(Scopes).Split(','), cancelled));
        var list = new Command("list", "Lists keys, without their texts.");
        list.SetAction((_, cancelled) => CommandStore.RunAsync(store => ListAsync(store, cancelled), cancelled));
        var revoke = new Command("revoke", "Revokes a key; a running Coordinator refuses it within a second.") { Id };
        revoke.SetAction((parsed, cancelled) => CommandStore.RunAsync(store => RevokeAsync(store, parsed.GetRequiredValue(Id), cancelled), cancelled));
        return await new RootCommand("Keys of the HTTP API: clients send them as 'Authorization: Bearer'.") { create, list, revoke }.Parse(args).InvokeAsync();
    }

    private static async Task<int> CreateAsync(string name, string[] scopeNames, CancellationToken cancellationToken)
    {
        var (scopes, problem) = KeyEndpoints.Check(name, scopeNames);
        if (problem is not null)
        {
            await Console.Error.WriteLineAsync(problem);
            return 1;
        }

        return await CommandStore.RunAsync(
            async store =>
            {
                var (id, text) = await store.Keys.CreateAsync(name, scopes, cancellationToken);
                Console.WriteLine(text);
                await Console.Error.WriteLineAsync($"id {id}, name {name}, scopes {ApiScopeRules.Text(scopes)}");
                return 0;
            },
            cancellationToken);
    }

    private static async Task<int> ListAsync(CommandStore store, CancellationToken cancellationToken)
    {
        foreach (var key in await store.Keys.ListAsync(cancellationToken))
        {
            var state = key.RevokedAt is { } revoked ? string.Create(CultureInfo.InvariantCulture, $"revoked at {revoked:u}") : "good";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{key.Id}  {key.Name}  {ApiScopeRules.Text(key.Scopes)}  made {key.CreatedAt:u}  {state}"));
        }

        return 0;
    }

    private static async Task<int> RevokeAsync(CommandStore store, string id, CancellationToken cancellationToken)
    {
        if (await store.Keys.RevokeAsync(id, cancellationToken))
        {
            Console.WriteLine($"Key {id} is revoked.");
            return 0;
        }

        await Console.Error.WriteLineAsync($"There is no key '{id}'; 'key list' shows those there are.");
        return 1;
    }
}
