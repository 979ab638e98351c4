using Renci.SshNet;
using Renci.SshNet.Common;

namespace ClusterLlm.Coordinator.Nodes.Adding.Ssh;

/// <summary>The ways to log in that the credentials allow, in the order in which they are tried.</summary>
internal sealed class SshMethods : IDisposable
{
    private static readonly string[] UsualKeys = ["id_ed25519", "id_ecdsa", "id_rsa"];

    private readonly List<AuthenticationMethod> _methods = [];
    private readonly List<string> _names = [];
    private readonly List<IDisposable> _owned = [];

    public IReadOnlyList<AuthenticationMethod> All => _methods;

    /// <summary>What was tried, for people.</summary>
    public string Names => _names.Count == 0 ? "nothing" : string.Join(", ", _names);

    /// <summary>Keys that could not be used, and why.</summary>
    public List<string> Problems { get; } = [];

    /// <exception cref="TargetException">The key file that was named can't be used.</exception>
    public static SshMethods From(TargetAddress address, TargetCredentials credentials)
    {
        var methods = new SshMethods();
        try
        {
            methods.AddKeys(address, credentials);
            if (credentials.Password is { } password)
            {
                methods.AddPassword(address, password);
            }
        }
        catch
        {
            methods.Dispose();
            throw;
        }

        if (methods._methods.Count == 0)
        {
            methods._methods.Add(new NoneAuthenticationMethod(address.User));
        }

        return methods;
    }

    public void Dispose()
    {
        _methods.OfType<IDisposable>().Concat(_owned).ToList().ForEach(one => one.Dispose());
        _owned.Clear();
    }

    private void AddKeys(TargetAddress address, TargetCredentials credentials)
    {
        if (credentials.KeyFile is { } named)
        {
            Add(address, Path.GetFileName(named), ReadKey(named, credentials.Passphrase));
            return;
        }

        if (credentials.Password is not null)
        {
            // A server counts every offered key as an attempt; who gives a password means it.
            return;
        }

        var agent = SshAgentKeys.FromEnvironment();
        if (agent.Count > 0)
        {
            Add(address, "the SSH agent's keys", [.. agent]);
        }

        var folder = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".ssh");
        foreach (var path in UsualKeys.Select(name => Path.Combine(folder, name)).Where(File.Exists))
        {
            try
            {
                Add(address, Path.GetFileName(path), ReadKey(path, credentials.Passphrase));
            }
            catch (TargetException e)
            {
                Problems.Add(e.Message);
            }
        }
    }

    private void Add(TargetAddress address, string name, params IPrivateKeySource[] keys)
    {
        _methods.Add(new PrivateKeyAuthenticationMethod(address.User, keys));
        _names.Add(name);
    }

    private PrivateKeyFile ReadKey(string path, string? passphrase)
    {
        try
        {
            var key = passphrase is null ? new PrivateKeyFile(path) : new PrivateKeyFile(path, passphrase);
            _owned.Add(key);
            return key;
        }
        catch (SshPassPhraseNullOrEmptyException e)
        {
            throw new TargetException(TargetProblem.NotAuthenticated, $"The key {path} needs its passphrase.", null, e);
        }
        catch (Exception e) when (e is SshException or IOException or UnauthorizedAccessException or InvalidOperationException or NotSupportedException)
        {
            throw new TargetException(TargetProblem.NotAuthenticated, $"The key {path} on the Coordinator's machine can't be used: {e.Message}", null, e);
        }
    }

    // Macs ask for the password by keyboard-interactive, others by password: both answer the same.
    private void AddPassword(TargetAddress address, string password)
    {
        _methods.Add(new PasswordAuthenticationMethod(address.User, password));
        var interactive = new KeyboardInteractiveAuthenticationMethod(address.User);
        interactive.AuthenticationPrompt += (_, e) =>
        {
            foreach (var prompt in e.Prompts.Where(prompt => !prompt.IsEchoed))
            {
                prompt.Response = password;
            }
        };
        _methods.Add(interactive);
        _names.Add("the password");
    }
}
