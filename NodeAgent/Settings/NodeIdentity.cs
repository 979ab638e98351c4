namespace ClusterLlm.NodeAgent.Settings;

/// <summary>Who this agent is.</summary>
/// <param name="Id">Stable over restarts.</param>
/// <param name="InstanceId">New at every start: tells a restart from a reconnect.</param>
internal sealed record NodeIdentity(string Id, string DisplayName, string HostName, string InstanceId);
