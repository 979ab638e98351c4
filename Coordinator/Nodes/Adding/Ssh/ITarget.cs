using ClusterLlm.Coordinator.Nodes.Adding.Checks;

namespace ClusterLlm.Coordinator.Nodes.Adding.Ssh;

/// <summary>A machine that commands can be run on.</summary>
internal interface ITarget : IAsyncDisposable
{
    /// <param name="script">For <c>/bin/sh</c>. Never holds a secret: arguments are visible to everybody on that machine.</param>
    /// <param name="input">Standard input, for secrets and files; <see langword="null"/> for none.</param>
    /// <param name="progress">Told the bytes of <paramref name="input"/> that were sent so far.</param>
    /// <exception cref="TargetException">The connection is lost, or there is no answer in time.</exception>
    Task<CommandAnswer> RunAsync(string script, Stream? input, IProgress<long>? progress, CancellationToken cancellationToken);
}

/// <summary>Opens connections to machines.</summary>
internal interface ITargetConnector
{
    /// <returns>The machine, and the host key that it showed.</returns>
    /// <exception cref="TargetException">There is no connection; it says why.</exception>
    Task<(ITarget Target, HostKey Presented)> ConnectAsync(TargetAddress address, TargetCredentials credentials, HostKeyTrust trust, CancellationToken cancellationToken);
}

/// <summary>Where a machine is and who logs in.</summary>
internal sealed record TargetAddress(string Host, int Port, string User)
{
    public override string ToString() => Port == 22 ? $"{User}@{Host}" : $"{User}@{Host}:{Port}";
}

/// <summary>How the account proves itself. Never logged, never stored.</summary>
/// <param name="Password">Of the account; also tried for sudo where no other is given.</param>
/// <param name="KeyFile">A private key on the Coordinator's machine; <see langword="null"/> tries the usual ones of its user.</param>
/// <param name="Passphrase">Of the key file.</param>
/// <param name="SudoPassword">Where it is not <paramref name="Password"/>.</param>
internal sealed record TargetCredentials(string? Password, string? KeyFile, string? Passphrase, string? SudoPassword)
{
    public string? ForSudo => SudoPassword ?? Password;

    /// <summary>Records end up in logs.</summary>
    public override string ToString() => "credentials";
}

/// <summary>What went wrong between the Coordinator and a machine.</summary>
internal enum TargetProblem
{
    Unreachable,
    HostKeyUnknown,
    HostKeyChanged,
    NotAuthenticated,
    Lost,
}

/// <summary>A connection that could not be made, or was lost. The message says what, where, and what to do.</summary>
/// <param name="presented">The machine's host key, where that is the question.</param>
internal sealed class TargetException(TargetProblem problem, string message, HostKey? presented, Exception? cause) : Exception(message, cause)
{
    public TargetProblem Problem { get; } = problem;

    public HostKey? Presented { get; } = presented;
}
