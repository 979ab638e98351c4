using System.Collections.Immutable;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Models;

/// <summary>The model folders of one node, as its agent listed them.</summary>
/// <param name="Models">Read only, though their type could be changed.</param>
internal sealed record NodeInventory(
    string NodeId, string InstanceId, DateTimeOffset ReadAt, ImmutableArray<ModelDescription> Models, ImmutableArray<ModelProblem> Problems);

/// <summary>A model on the nodes that have the same files of it.</summary>
/// <param name="Description">From the first holder; equal on all but for its path.</param>
/// <param name="Holders">Node id to the folder as that node sees it.</param>
/// <param name="Unfit">Nodes that can't take part, and why.</param>
internal sealed record ResolvedModel(
    string ModelId,
    ModelDescription Description,
    ImmutableSortedDictionary<string, ModelHolding> Holders,
    ImmutableSortedDictionary<string, string> Unfit);

/// <summary>A model's folder on a node.</summary>
internal sealed record ModelHolding(string Path, string Fingerprint, ImmutableArray<EngineSupport> Engines);

/// <summary>What a <c>model</c> string leads to.</summary>
internal abstract record ModelResolution
{
    private ModelResolution()
    {
    }

    internal sealed record Found(ResolvedModel Model) : ModelResolution;

    /// <param name="Nearest">Model ids that the name may have meant.</param>
    internal sealed record Unknown(string Message, ImmutableArray<string> Nearest) : ModelResolution;

    /// <summary>It is there, but can't be used.</summary>
    internal sealed record Broken(string Message) : ModelResolution;
}
