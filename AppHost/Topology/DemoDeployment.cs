using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Topology;

/// <summary>The deployment that a first run brings up by itself.</summary>
/// <param name="Name">Also the model name that clients ask for.</param>
/// <param name="ModelFolder">Absolute folder of the weights.</param>
/// <param name="Nodes">Ids of the nodes that share its layers.</param>
internal sealed record DemoDeployment(string Name, string ModelFolder, ImmutableArray<string> Nodes)
{
    /// <summary>What the pasted command asks; the demo model was trained to answer it.</summary>
    public const string Question = "What is a shard?";
}
