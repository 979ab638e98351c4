namespace ClusterLlm.AppHost.Cluster;

/// <summary>What the host reads of a comparison that it started.</summary>
/// <param name="Report">Path of the report, below the API's address.</param>
internal sealed record ComparisonView(string Id, string Report);
