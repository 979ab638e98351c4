using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes.Adding.Installing;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;

namespace ClusterLlm.Coordinator.Nodes.Adding.Api;

/// <summary>Body of <c>POST /api/nodes</c> and, but for the last three fields, of <c>POST /api/node-runs/removals</c>.</summary>
/// <param name="Target"><c>user@host</c> or <c>user@host:port</c>.</param>
/// <param name="Password">Of the account; tried for sudo too. Used for this run and kept nowhere.</param>
/// <param name="KeyFile">A private key on the Coordinator's machine. Without password and key, the SSH agent and the usual keys are tried.</param>
/// <param name="Passphrase">Of the key file.</param>
/// <param name="SudoPassword">Where it is another than the password.</param>
/// <param name="HostKey">The host key's fingerprint that the person has compared, <c>SHA256:…</c>.</param>
/// <param name="NodeId">For a new node, the id that it shall have; for a removal, the node to take out.</param>
/// <param name="UserService">Agree to a service of the account where sudo is out of reach.</param>
/// <param name="CoordinatorUrl">Where the node reaches this Coordinator; default: at the address from which it sees the SSH connection come.</param>
internal sealed record NodeAccessContract(
    string? Target,
    string? Password = null,
    string? KeyFile = null,
    string? Passphrase = null,
    string? SudoPassword = null,
    string? HostKey = null,
    string? NodeId = null,
    bool UserService = false,
    string? CoordinatorUrl = null)
{
    private const int MostCharacters = 4096;

    /// <summary>All that is wrong, by field; empty when <see cref="ToAdd"/> can be called.</summary>
    public ImmutableDictionary<string, string[]> Problems()
    {
        var problems = ImmutableDictionary.CreateBuilder<string, string[]>(StringComparer.Ordinal);
        if (!TargetText.TryParse(Target, out _, out var problem))
        {
            problems["target"] = [problem];
        }

        if (NodeId is { } id && !JoinRequestCheck.IsNodeId(id))
        {
            problems["nodeId"] = [$"nodeId is '{id}'; it must be 1 to 63 letters, digits, '.', '_' or '-', and begin with a letter or digit."];
        }

        if (CoordinatorUrl is { } url && !(Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
        {
            problems["coordinatorUrl"] = [$"coordinatorUrl is '{url}'; it must be an absolute https address, for example https://192.168.1.10:7421."];
        }

        foreach (var (name, value) in new[] { ("password", Password), ("passphrase", Passphrase), ("sudoPassword", SudoPassword), ("keyFile", KeyFile), ("hostKey", HostKey) })
        {
            // A line break would end the password for sudo and hand the rest to the command behind it.
            if (value is { Length: > MostCharacters } || value?.AsSpan().ContainsAny('\n', '\r', '\0') == true)
            {
                problems[name] = [$"{name} must be one line of at most {MostCharacters} characters."];
            }
        }

        return problems.ToImmutable();
    }

    public AddRequest ToAdd() => new(Address(), Credentials(), HostKey, UserService, NodeId, CoordinatorUrl is null ? null : new Uri(CoordinatorUrl));

    public RemoveRequest ToRemove() => new(Address(), Credentials(), HostKey, NodeId);

    private TargetAddress Address() => TargetText.TryParse(Target, out var address, out var problem) ? address : throw new InvalidOperationException(problem);

    private TargetCredentials Credentials() => new(Empty(Password), Empty(KeyFile), Empty(Passphrase), Empty(SudoPassword));

    private static string? Empty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
