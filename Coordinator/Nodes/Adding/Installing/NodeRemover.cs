using ClusterLlm.Coordinator.Nodes.Adding.Checks;
using ClusterLlm.Coordinator.Nodes.Adding.Runs;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;

namespace ClusterLlm.Coordinator.Nodes.Adding.Installing;

/// <summary>Undoes an installation: service, files and membership.</summary>
internal sealed class NodeRemover(TargetCheck check, INodeForgetting forgetting)
{
    /// <exception cref="StepFailedException">A step can't be done.</exception>
    /// <exception cref="TargetException">The connection can't be made or is lost.</exception>
    public async Task RunAsync(RemoveRequest request, RunHandle run, CancellationToken cancellationToken)
    {
        await using var target = await run.StepAsync(NodeRunSteps.Connect, () => check.ConnectAsync(request.Address, request.Credentials, request.HostKey, cancellationToken));
        var facts = await run.StepAsync(NodeRunSteps.Check, async () =>
        {
            var found = await check.ReadAsync(target, request.Credentials, cancellationToken);
            run.Know(request.NodeId ?? found.Installed?.NodeId, []);
            return (found, found.Installed is { } agent ? $"an agent in {agent.Root}, version {agent.Version}" : "no agent is installed");
        });
        await run.StepAsync(NodeRunSteps.Uninstall, () => UninstallAsync(target, request, facts, cancellationToken));
        await run.StepAsync(NodeRunSteps.Forget, async () =>
        {
            var known = run.Run.NodeId is { } nodeId && await forgetting.ForgetAsync(nodeId, cancellationToken);
            return (known, known ? $"{run.Run.NodeId} is out of the cluster" : "the cluster did not know it any more");
        });
    }

    private static async Task<(bool, string)> UninstallAsync(ITarget target, RemoveRequest request, TargetFacts facts, CancellationToken cancellationToken)
    {
        if (facts.Installed is not { } agent)
        {
            return (false, "nothing to delete");
        }

        // What was installed as root can only be deleted as root.
        if (agent.Root == CheckCommands.SystemRoot && facts.Root == RootAccess.None)
        {
            throw new StepFailedException($"The agent in {agent.Root} was installed as root, and the account {facts.Identity.UserName} may not use sudo without a password. Give sudo's password.", null) { Kind = StepFailedException.NeedsRoot };
        }

        var access = agent.Root == CheckCommands.SystemRoot ? facts.Root : RootAccess.None;
        var answer = await Elevation.RunAsync(target, access, NodeScript.Run(agent.Root, "remove", facts.Identity.UserName), request.Credentials, cancellationToken);
        return answer.Succeeded
            ? (true, $"{agent.Root} and its service are gone; models in {facts.Identity.Home}/.clusterllm/models stay")
            : throw new StepFailedException($"The agent could not be removed: {answer.Errors.Trim().Split('\n')[^1]}", null);
    }
}

/// <summary>Takes a node out of the cluster for good.</summary>
internal interface INodeForgetting
{
    /// <returns>False when there was no such node.</returns>
    Task<bool> ForgetAsync(string nodeId, CancellationToken cancellationToken);
}
