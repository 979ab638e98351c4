namespace ClusterLlm.NodeAgent.Joining;

/// <summary>This agent's place in the cluster.</summary>
internal sealed record Lease(string ClusterId, string Id, TimeSpan Duration, TimeSpan RenewInterval);
