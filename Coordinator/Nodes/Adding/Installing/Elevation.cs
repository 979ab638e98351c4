using System.Text;
using ClusterLlm.Coordinator.Nodes.Adding.Checks;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;

namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>Runs scripts as root where that is possible, and as the account where it is not.</summary>
internal static class Elevation
{
    // -k makes sudo ask although it has asked a moment ago: else the password would be read by the command behind it.
    private const string SudoWithPassword = "sudo -k -S -p ''";

    /// <summary>Finds out what the account may do.</summary>
    public static async Task<RootAccess> FindAsync(ITarget target, TargetIdentity identity, TargetCredentials credentials, CancellationToken cancellationToken)
    {
        if (identity.IsRoot)
        {
            return RootAccess.IsRoot;
        }

        if ((await target.RunAsync(CheckCommands.SudoWithoutPassword.Script, null, null, cancellationToken).ConfigureAwait(false)).Succeeded)
        {
            return RootAccess.SudoWithoutPassword;
        }

        return credentials.ForSudo is { } password
            && (await target.RunAsync($"{SudoWithPassword} true", Line(password), null, cancellationToken).ConfigureAwait(false)).Succeeded
            ? RootAccess.SudoWithPassword
            : RootAccess.None;
    }

    public static Task<CommandAnswer> RunAsync(ITarget target, RootAccess access, string script, TargetCredentials credentials, CancellationToken cancellationToken) => access switch
    {
        RootAccess.SudoWithoutPassword => target.RunAsync($"sudo -n {ShellText.Script(script)}", null, null, cancellationToken),
        RootAccess.SudoWithPassword => target.RunAsync($"{SudoWithPassword} {ShellText.Script(script)}", Line(credentials.ForSudo!), null, cancellationToken),
        _ => target.RunAsync(script, null, null, cancellationToken),
    };

    private static MemoryStream Line(string password) => new(Encoding.UTF8.GetBytes(password + "\n"));
}
