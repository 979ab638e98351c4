using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>What is to be done next for a deployment.</summary>
internal abstract record DeploymentAction
{
    private DeploymentAction()
    {
    }

    /// <summary>Find a plan on the nodes of now, and take it if there is one.</summary>
    internal sealed record Plan : DeploymentAction;

    /// <summary>Ask every agent of the plan whether it can run its shard.</summary>
    internal sealed record Prepare : DeploymentAction;

    /// <summary>Start the shards of these ranks.</summary>
    internal sealed record Start(ImmutableArray<int> Ranks) : DeploymentAction;

    /// <summary>Stop the shards of this generation and older ones on a node; 0 means all.</summary>
    internal sealed record Stop(string NodeId, int Generation) : DeploymentAction;

    /// <summary>Take another state.</summary>
    internal sealed record Become(DeploymentState State, string? Reason) : DeploymentAction;

    /// <summary>Give this launch up: everything of it is stopped, and it is planned anew.</summary>
    /// <param name="Counts">It counts as a failure: a few of them in a row, and the deployment is given up.</param>
    internal sealed record Relaunch(string Reason, bool Counts) : DeploymentAction;

    /// <summary>Nothing before this time.</summary>
    internal sealed record Wait(DateTimeOffset Until) : DeploymentAction;
}
