using System.Text;
using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.Coordinator.Nodes.Adding.Checks;
using ClusterLlm.Coordinator.Nodes.Adding.Packages;
using ClusterLlm.Coordinator.Nodes.Adding.Runs;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>Makes a machine a node, step by step. Every step can be done again: a second run is an upgrade, or changes nothing.</summary>
internal sealed class NodeInstaller(
    TargetCheck check, AgentPackages packages, IJoinInvitations invitations, JoinWait join, ListeningPorts ports, IOptions<ClusterOptions> cluster, IOptions<AddingOptions> options)
{
    // Copying and unpacking move a hundred megabytes, on a slow disk or link too.
    private const int LongCommandFactor = 10;

    // Enough for the slowest start; the token is revoked when the run ends.
    private static readonly TimeSpan InvitationLifetime = TimeSpan.FromMinutes(30);

    /// <exception cref="StepFailedException">A step can't be done.</exception>
    /// <exception cref="TargetException">The connection can't be made or is lost.</exception>
    /// <exception cref="AgentPackageException">There is no agent for the machine.</exception>
    public async Task RunAsync(AddRequest request, RunHandle run, CancellationToken cancellationToken)
    {
        await using var target = await run.StepAsync(NodeRunSteps.Connect, () => check.ConnectAsync(request.Address, request.Credentials, request.HostKey, cancellationToken));
        var (facts, verdict) = await run.StepAsync(NodeRunSteps.Check, () => LookAsync(target, request, run, cancellationToken));
        var package = await run.StepAsync(NodeRunSteps.Agent, () => FindAgentAsync(facts, verdict, run, cancellationToken));
        var staging = await MakeStagingAsync(target, cancellationToken);
        var coordinator = request.CoordinatorUrl ?? Reachable(facts.Identity);
        var invitation = await invitations.CreateAsync(run.Run.NodeId!, coordinator, InvitationLifetime, cancellationToken);
        try
        {
            await run.StepAsync(NodeRunSteps.Copy, () => CopyAsync(target, facts, package, staging, run, cancellationToken));
            var installed = await run.StepAsync(NodeRunSteps.Install, () => InstallAsync(target, request, facts, run.Run.NodeId!, coordinator, package, staging, invitation, cancellationToken));
            var before = join.Now();
            var started = await run.StepAsync(NodeRunSteps.Start, () => StartAsync(target, request, facts, run.Run.NodeId!, installed, cancellationToken));
            await run.StepAsync(NodeRunSteps.Join, () => join.WaitAsync(target, run.Run.NodeId!, installed, started ? before : null, cancellationToken));
        }
        finally
        {
            await CleanAsync(target, staging, invitation);
        }
    }

    private async Task<((TargetFacts, TargetVerdict), string)> LookAsync(ITarget target, AddRequest request, RunHandle run, CancellationToken cancellationToken)
    {
        var facts = await check.ReadAsync(target, request.Credentials, cancellationToken);
        var verdict = TargetVerdict.Decide(facts, request.UserService, options.Value.AgentPort);
        if (AgentSettings.ReachProblem(cluster.Value.GrpcIPAddress, request.CoordinatorUrl ?? Reachable(facts.Identity)) is { } unreachable)
        {
            throw new StepFailedException(unreachable, null);
        }

        run.Know(request.NodeId ?? facts.Installed?.NodeId ?? NodeIdProposal.From(facts.Identity.HostName, Random.Shared), verdict.Notes);
        return verdict.Problems.IsEmpty
            ? ((facts, verdict), Describe(facts))
            : throw new StepFailedException(string.Join(' ', verdict.Problems), null) { Kind = verdict.NeedsRootOnly ? StepFailedException.NeedsRoot : "failed" };
    }

    private async Task<(AgentPackage, string)> FindAgentAsync(TargetFacts facts, TargetVerdict verdict, RunHandle run, CancellationToken cancellationToken)
    {
        var package = await packages.GetAsync(verdict.RuntimeIdentifier!, new Telling<string>(run.Tell), cancellationToken);
        return TargetVerdict.DiskProblem(facts, package.Bytes, package.UnpackedBytes) is { } problem
            ? throw new StepFailedException(problem, null)
            : (package, $"{package.RuntimeIdentifier}, {package.Bytes:N0} bytes, SHA-256 {package.Sha256}");
    }

    private async Task<(bool, string)> CopyAsync(ITarget target, TargetFacts facts, AgentPackage package, string staging, RunHandle run, CancellationToken cancellationToken)
    {
        await using var archive = File.OpenRead(package.Path);
        var sent = await Limited(
            limit => target.RunAsync(NodeScript.Receive(staging, NodeScript.Archive), archive, new Telling<long>(bytes => run.Progress((double)bytes / package.Bytes)), limit), cancellationToken);
        Need(sent, "The agent could not be copied");
        var hash = await Limited(limit => target.RunAsync(NodeScript.Hash(facts.Identity.System, staging), null, null, limit), cancellationToken);
        Need(hash, "The copy's hash could not be computed");
        return hash.Output.StartsWith(package.Sha256, StringComparison.Ordinal)
            ? (true, $"the copy has the SHA-256 {package.Sha256}")
            : throw new StepFailedException($"The copy has another SHA-256 ({hash.Output.Split(' ')[0]}) than the archive ({package.Sha256}): it was damaged on its way.", null);
    }

    private async Task<(InstalledService, string)> InstallAsync(
        ITarget target, AddRequest request, TargetFacts facts, string nodeId, Uri coordinator, AgentPackage package, string staging, JoinInvitation invitation, CancellationToken cancellationToken)
    {
        using (var token = new MemoryStream(Encoding.ASCII.GetBytes(invitation.Text + "\n")))
        {
            Need(await target.RunAsync(NodeScript.Receive(staging, NodeScript.Token), token, null, cancellationToken), "The join token could not be copied");
        }

        Need(await target.RunAsync(NodeScript.TakeScript(staging), null, null, cancellationToken), "The archive could not be opened there");
        var settings = AgentSettings.For(nodeId, coordinator, options.Value.AgentPort);
        var answer = await Limited(
            limit => Elevation.RunAsync(target, facts.Root, NodeScript.Install(staging, package.Sha256, facts.Identity.UserName, settings, withToken: true), request.Credentials, limit),
            cancellationToken);
        Need(answer, "The agent could not be installed");
        var installed = InstalledService.Read(answer.Output);
        return (installed, installed.Changed ? $"{installed.Service} in {installed.Root}, version {installed.Version}" : $"nothing to change: version {installed.Version} is installed in {installed.Root}");
    }

    private async Task<(bool Started, string)> StartAsync(ITarget target, AddRequest request, TargetFacts facts, string nodeId, InstalledService installed, CancellationToken cancellationToken)
    {
        if (!installed.Changed && join.IsUsable(nodeId) && await JoinWait.StatusAsync(target, installed, cancellationToken) is { IsRunning: true } status)
        {
            return (false, $"not restarted, since nothing has changed: {status.Text}");
        }

        var answer = await Elevation.RunAsync(target, facts.Root, NodeScript.Run(installed.Root, "start", facts.Identity.UserName), request.Credentials, cancellationToken);
        Need(answer, "The service could not be started");
        var note = NodeScript.ReadAnswer(answer.Output).GetValueOrDefault("note");
        return (true, note ?? installed.Service);
    }

    private static async Task<string> MakeStagingAsync(ITarget target, CancellationToken cancellationToken)
    {
        var made = await target.RunAsync(NodeScript.MakeStaging, null, null, cancellationToken);
        Need(made, "No folder could be made in the account's home");
        return made.Output.Trim();
    }

    // Whatever has happened, also a lost connection: the token must not stay valid, and the machine should not keep the copy.
    private async Task CleanAsync(ITarget target, string staging, JoinInvitation invitation)
    {
        await invitations.RevokeAsync(invitation.Id, CancellationToken.None);
        try
        {
            using var limit = new CancellationTokenSource(options.Value.ConnectTimeout);
            await target.RunAsync(NodeScript.Clean(staging), null, null, limit.Token);
        }
        catch (Exception e) when (e is TargetException or OperationCanceledException)
        {
            // The next run makes a folder of its own; this one holds an archive and a token that is worthless by now.
        }
    }

    private Uri Reachable(TargetIdentity identity) => identity.SeenAddress.Length > 0
        ? AgentSettings.CoordinatorAt(identity.SeenAddress, ports.Grpc)
        : throw new StepFailedException("The machine does not say from which address the SSH connection comes. Give coordinatorUrl: where the node reaches this Coordinator's gRPC port.", null);

    private async Task<CommandAnswer> Limited(Func<CancellationToken, Task<CommandAnswer>> work, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Value.CommandTimeout * LongCommandFactor);
        try
        {
            return await work(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StepFailedException($"It was not done within {(options.Value.CommandTimeout * LongCommandFactor).TotalSeconds:N0} s.", null);
        }
    }

    private static void Need(CommandAnswer answer, string what)
    {
        if (!answer.Succeeded)
        {
            var said = (answer.Errors.Trim().Length > 0 ? answer.Errors : answer.Output).Trim();
            throw new StepFailedException($"{what}: {(said.Length > 0 ? said.Split('\n')[^1] : $"exit code {answer.ExitCode}")}", null);
        }
    }

    private static string Describe(TargetFacts facts)
    {
        string[] parts = [facts.OperatingSystem, facts.HardwareModel, facts.Chip, facts.MemoryBytes is { } memory ? $"{memory >> 30} GiB memory" : "", facts.FreeBytes is { } free ? $"{free >> 30} GiB free" : "", .. facts.Pythons];
        return string.Join(", ", parts.Where(part => part.Length > 0));
    }
}
