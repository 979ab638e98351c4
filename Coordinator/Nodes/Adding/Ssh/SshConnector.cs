using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Renci.SshNet;
using Renci.SshNet.Common;
using ConnectionInfo = Renci.SshNet.ConnectionInfo;

namespace ClusterLlm.Coordinator.Nodes.Adding.Ssh;

/// <summary>Logs in over SSH: the host key is judged before anything is told, then keys, the agent's keys and the password are tried.</summary>
internal sealed class SshConnector(IOptions<AddingOptions> options) : ITargetConnector
{
    // A login takes several round trips, and servers pause after a wrong password.
    private const int LoginFactor = 3;

    public async Task<(ITarget Target, HostKey Presented)> ConnectAsync(TargetAddress address, TargetCredentials credentials, HostKeyTrust trust, CancellationToken cancellationToken)
    {
        using var methods = SshMethods.From(address, credentials);
        SshLine? line = null;
        SshClient? client = null;
        var judge = new HostKeyJudge(trust);
        try
        {
            line = await SshLine.ConnectAsync(address, options.Value.ConnectTimeout, options.Value.StallTimeout, cancellationToken).ConfigureAwait(false);
            client = NewClient(address, line, methods, judge);
            await LogInAsync(client, line, cancellationToken).ConfigureAwait(false);
            return (new SshTarget(client, line, address), judge.Presented!);
        }
        catch (Exception e)
        {
            line?.Cut();
            client?.Dispose();
            if (line is not null)
            {
                await line.DisposeAsync().ConfigureAwait(false);
            }

            if (cancellationToken.IsCancellationRequested || e is not (SshException or SocketException or IOException or InvalidOperationException or TimeoutException))
            {
                throw;
            }

            throw judge.Refused is { } problem
                ? new TargetException(problem, HostKeyPolicy.Explain(problem, address, trust, judge.Presented!), judge.Presented, e)
                : Explained(address, methods, line?.Problem, e);
        }
    }

    private SshClient NewClient(TargetAddress address, SshLine line, SshMethods methods, HostKeyJudge judge)
    {
        var connection = new ConnectionInfo(line.Local.Address.ToString(), line.Local.Port, address.User, [.. methods.All]) { Timeout = options.Value.ConnectTimeout };
        var client = new SshClient(connection) { KeepAliveInterval = options.Value.KeepAlive };
        client.HostKeyReceived += judge.Judge;
        return client;
    }

    private async Task LogInAsync(SshClient client, SshLine line, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Value.ConnectTimeout * LoginFactor);
        // The library does not look at the token everywhere.
        using var cutting = limit.Token.Register(line.Cut);
        try
        {
            await client.ConnectAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested && e is not SshAuthenticationException)
        {
            throw new TimeoutException($"the login was not done within {options.Value.ConnectTimeout.TotalSeconds * LoginFactor:N0} s", e);
        }

        // From now on what waits is a full window: the machine may be busy as long as copying may stand still.
        client.ConnectionInfo.Timeout = options.Value.StallTimeout;
    }

    private static TargetException Explained(TargetAddress address, SshMethods methods, string? lineProblem, Exception cause) => cause is SshAuthenticationException
        ? new TargetException(
            TargetProblem.NotAuthenticated,
            $"{address.Host} does not let {address.User} in with {methods.Names}. {string.Concat(methods.Problems.Select(problem => problem + " "))}Give the right password or keyFile; on a Mac, System Settings, General, Sharing, Remote Login must allow the account.",
            null,
            cause)
        : new TargetException(
            TargetProblem.Unreachable,
            $"{address.Host} does not answer SSH on port {address.Port}: {lineProblem ?? cause.Message.TrimEnd('.')}. On a Mac, switch on System Settings, General, Sharing, Remote Login.",
            null,
            cause);

    /// <summary>Judges the key that the machine shows, and keeps what came of it.</summary>
    private sealed class HostKeyJudge(HostKeyTrust trust)
    {
        public HostKey? Presented { get; private set; }

        public TargetProblem? Refused { get; private set; }

        public void Judge(object? sender, HostKeyEventArgs e)
        {
            Presented = new HostKey(e.HostKeyName, $"SHA256:{e.FingerPrintSHA256}");
            Refused = HostKeyPolicy.Judge(trust, Presented);
            e.CanTrust = Refused is null;
        }
    }
}
