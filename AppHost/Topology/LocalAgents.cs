using System.Globalization;
using ClusterLlm.AppHost.Settings;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.AppHost.Topology;

/// <summary>How many agents this machine runs: several for the demo, one as soon as the cluster has other machines, whose memory is real.</summary>
internal static class LocalAgents
{
    /// <param name="remoteNodes">Nodes that other machines have.</param>
    /// <returns>The settings to start with, and the line that says so when it was decided here.</returns>
    public static (AppHostSettings Settings, string? Line) Decide(AppHostSettings settings, int remoteNodes) =>
        settings.AgentsAreSet || remoteNodes == 0
            ? (settings, null)
            : (settings with { Agents = 1 }, string.Create(
                CultureInfo.InvariantCulture,
                $"one local agent, since {remoteNodes} node{(remoteNodes == 1 ? " is" : "s are")} on other machines and this one's memory counts once; AppHost:Agents sets another number"));

    /// <summary>As the Coordinator of this home folder noted it last; 0 when it never did.</summary>
    public static int ReadRemoteNodes(string home)
    {
        var path = new ClusterHome(home).RemoteNodesPath;
        return File.Exists(path) && int.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;
    }
}
