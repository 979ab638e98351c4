using System.CommandLine;
using ClusterLlm.Coordinator.Nodes.Adding.Api;
using ClusterLlm.Coordinator.Nodes.Adding.Invitations;
using ClusterLlm.Coordinator.Nodes.Adding.Packages;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.Extensions.Options;
using Spectre.Console;

namespace ClusterLlm.Coordinator.Nodes.Adding.Commands;

/// <summary><c>node add</c>, <c>node remove</c>, <c>node package</c>: on the command line, through a running Coordinator.</summary>
internal static class NodeCommand
{
    private const string DefaultApi = "http://127.0.0.1:7420";

    private static readonly Argument<string> Target = new("target") { Description = "user@host, or user@host:port." };
    private static readonly Argument<string> Removed = new("target") { Description = "user@host to delete the agent there and take its node out; a node id only takes the node out." };
    private static readonly Option<Uri> Api = new("--api") { Description = "Where the Coordinator's API is.", DefaultValueFactory = _ => new Uri(DefaultApi) };
    private static readonly Option<string?> KeyFile = new("--key") { Description = "A private key on the Coordinator's machine. Default: the SSH agent's and the usual keys." };
    private static readonly Option<bool> PasswordFromInput = new("--password-stdin") { Description = "Read the account's password from the first line of standard input." };
    private static readonly Option<string?> HostKey = new("--host-key") { Description = "The host key's fingerprint (SHA256:…) that you have compared; also replaces a pinned one." };
    private static readonly Option<bool> UserService = new("--user-service") { Description = "Without sudo, install a service of the account; it starts at login only." };
    private static readonly Option<string?> Id = new("--id") { Description = "Node id. Default: kept, or made of the host's name." };
    private static readonly Option<string?> CoordinatorUrl = new("--coordinator") { Description = "Where the node reaches this Coordinator, for example https://192.168.1.10:7421." };
    private static readonly Argument<string[]> Platforms = new("platforms") { Description = string.Join(", ", AgentPackages.RuntimeIdentifiers), Arity = ArgumentArity.ZeroOrMore };

    private static readonly Option<string?> From = new("--from") { Description = "Where the machine reaches the API, for example https://192.168.1.10:7443. Default: its HTTPS address." };
    private static readonly Option<string[]> For = new("--for") { Description = $"{string.Join(", ", AgentPackages.RuntimeIdentifiers)}. Default: those that are published, else osx-arm64." };

    public static async Task<int> RunAsync(string[] args)
    {
        var add = new Command("add", "Makes a machine a node over SSH, or upgrades it.") { Target, KeyFile, PasswordFromInput, HostKey, UserService, Id, CoordinatorUrl, Api };
        add.SetAction((parsed, cancellationToken) => AccessAsync(parsed, "/api/nodes", parsed.GetRequiredValue(Target), cancellationToken));
        var remove = new Command("remove", "Undoes that: service, files and membership.") { Removed, KeyFile, PasswordFromInput, HostKey, Api };
        remove.SetAction(RemoveAsync);
        var invite = new Command("invite", "Prints a command to paste on a machine, which makes it a node. It holds a secret, works once, and for an hour.") { For, From, Id, Api };
        invite.SetAction(InviteAsync);
        var package = new Command("package", "Publishes the agent for other machines, again if it is there; this Coordinator must have its sources.") { Platforms };
        package.SetAction(PackageAsync);
        return await new RootCommand("Adds and removes machines.") { Subcommands = { add, remove, invite, package } }.Parse(args).InvokeAsync();
    }

    private static async Task<int> RemoveAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var target = parsed.GetRequiredValue(Removed);
        if (target.Contains('@', StringComparison.Ordinal))
        {
            return await AccessAsync(parsed, "/api/node-runs/removals", target, cancellationToken);
        }

        using var session = Session(parsed);
        return await session.ForgetAsync(target, cancellationToken);
    }

    private static async Task<int> AccessAsync(ParseResult parsed, string path, string target, CancellationToken cancellationToken)
    {
        var password = parsed.GetValue(PasswordFromInput) ? await Console.In.ReadLineAsync(cancellationToken) : null;
        var access = new NodeAccessContract(
            target, password, parsed.GetValue(KeyFile) is { } key ? Path.GetFullPath(key) : null, null, null, parsed.GetValue(HostKey), parsed.GetValue(Id), parsed.GetValue(UserService), parsed.GetValue(CoordinatorUrl));
        using var session = Session(parsed);
        return await session.RunAsync(path, access, cancellationToken);
    }

    private static async Task<int> InviteAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var request = new InvitationRequest(parsed.GetValue(From), parsed.GetValue(For) is { Length: > 0 } platforms ? platforms : null, null, parsed.GetValue(Id));
        using var session = Session(parsed);
        return await session.InviteAsync(request, cancellationToken);
    }

    // Where keys are required, the running Coordinator keeps one for its own user in the home folder. It never leaves this machine.
    private static NodeSession Session(ParseResult parsed)
    {
        var http = new HttpClient(new LocalKeyHandler(ClusterHome.From(Settings()), new SocketsHttpHandler()))
        {
            BaseAddress = parsed.GetRequiredValue(Api),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        return new NodeSession(http, Terminal());
    }

    private static ConfigurationManager Settings()
    {
        var configuration = new ConfigurationManager();
        configuration.AddEnvironmentVariables();
        configuration.AddEnvironmentVariables("CLUSTERLLM__");
        return configuration;
    }

    private static async Task<int> PackageAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var wanted = parsed.GetValue(Platforms) is { Length: > 0 } some ? some : AgentPackages.RuntimeIdentifiers;
        if (wanted.FirstOrDefault(one => !AgentPackages.RuntimeIdentifiers.Contains(one)) is { } unknown)
        {
            await Console.Error.WriteLineAsync($"There is no agent for '{unknown}'; there are agents for {string.Join(", ", AgentPackages.RuntimeIdentifiers)}.");
            return 1;
        }

        var configuration = Settings();
        var options = configuration.GetSection(AddingOptions.SectionName).Get<AddingOptions>() ?? new AddingOptions();
        using var packages = new AgentPackages(Options.Create(options), ClusterHome.From(configuration));
        foreach (var platform in wanted)
        {
            try
            {
                await AgentPublisher.PublishAsync(platform, packages.PathOf(platform), cancellationToken);
                var package = await packages.GetAsync(platform, null, cancellationToken);
                Console.WriteLine($"{package.Sha256}  {package.Path}  ({package.Bytes:N0} bytes)");
            }
            catch (AgentPackageException e)
            {
                await Console.Error.WriteLineAsync(e.Message);
                return 1;
            }
        }

        return 0;
    }

    /// <summary>Nobody can be asked when input or output is not a terminal.</summary>
    private static NodeTerminal Terminal() => new(
        Console.Out,
        Console.Error,
        Console.IsInputRedirected || Console.IsOutputRedirected
            ? null
            : (question, secret) => secret
                ? AnsiConsole.Prompt(new TextPrompt<string>(Markup.Escape(question)).Secret(null).AllowEmpty())
                : AnsiConsole.Prompt(new TextPrompt<string>(Markup.Escape(question)).AllowEmpty()));
}

/// <summary>Where a command writes, and how it asks.</summary>
/// <param name="Ask">A question and whether its answer is secret; <see langword="null"/> when nobody is there to answer.</param>
internal sealed record NodeTerminal(TextWriter Output, TextWriter Errors, Func<string, bool, string>? Ask);
