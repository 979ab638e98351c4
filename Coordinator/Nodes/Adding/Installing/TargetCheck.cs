using ClusterLlm.Coordinator.Nodes.Adding.Checks;
using ClusterLlm.Coordinator.Nodes.Adding.Runs;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>Connects to a machine and asks it all questions.</summary>
internal sealed class TargetCheck(ITargetConnector connector, HostKeyStore hostKeys, IOptions<AddingOptions> options)
{
    /// <summary>Logs in; a host key that the person has confirmed is pinned.</summary>
    public async Task<(ITarget Target, string Detail)> ConnectAsync(TargetAddress address, TargetCredentials credentials, string? confirmed, CancellationToken cancellationToken)
    {
        var trust = new HostKeyTrust(await hostKeys.FindAsync(address.Host, address.Port, cancellationToken).ConfigureAwait(false), confirmed);
        var (target, presented) = await connector.ConnectAsync(address, credentials, trust, cancellationToken).ConfigureAwait(false);
        await hostKeys.PinAsync(address.Host, address.Port, presented, cancellationToken).ConfigureAwait(false);
        return (target, $"{address}, host key {presented.Fingerprint}");
    }

    /// <exception cref="StepFailedException">The system is none that an agent is made for.</exception>
    public async Task<TargetFacts> ReadAsync(ITarget target, TargetCredentials credentials, CancellationToken cancellationToken)
    {
        var identity = TargetFactsReader.ReadIdentity(await RunAsync(target, CheckCommands.Identity.Script, cancellationToken).ConfigureAwait(false), out var problem)
            ?? throw new StepFailedException(problem, null);
        var answers = new Dictionary<string, CommandAnswer>(StringComparer.Ordinal);
        foreach (var check in CheckCommands.For(identity.System))
        {
            answers[check.Name] = await RunAsync(target, check.Script, cancellationToken).ConfigureAwait(false);
        }

        var root = await Elevation.FindAsync(target, identity, credentials, cancellationToken).ConfigureAwait(false);
        return TargetFactsReader.Read(identity, answers, root, options.Value.AgentPort);
    }

    private async Task<CommandAnswer> RunAsync(ITarget target, string script, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Value.CommandTimeout);
        try
        {
            return await target.RunAsync(script, null, null, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StepFailedException($"The machine did not answer '{script}' within {options.Value.CommandTimeout.TotalSeconds:N0} s.", null);
        }
    }
}
