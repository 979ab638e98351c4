namespace ClusterLlm.Integration;

/// <summary>Tests that start an AppHost of their own run one after the other: two cores do not carry several clusters at once.</summary>
internal static class HostProcesses
{
    public const string Name = "host processes";
}
