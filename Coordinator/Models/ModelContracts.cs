using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Models;

/// <summary>What the cluster has.</summary>
internal sealed record ModelsContract(ImmutableArray<ModelContract> Models, ImmutableArray<ModelProblemContract> Problems);

/// <summary>A model of the cluster; sizes in bytes.</summary>
/// <param name="Consistent">All nodes that have it have the same files.</param>
internal sealed record ModelContract(
    string Id,
    string Architecture,
    string ModelType,
    int Layers,
    int HiddenSize,
    int VocabularySize,
    int MaxContextTokens,
    string WeightFormat,
    long Bytes,
    string Fingerprint,
    bool Consistent,
    ImmutableArray<ModelHolderContract> Nodes);

/// <summary>A node that has a model.</summary>
internal sealed record ModelHolderContract(
    string NodeId, string Path, string Fingerprint, ImmutableArray<ModelFileContract> Files, ImmutableArray<ModelEngineContract> Engines);

internal sealed record ModelFileContract(string Name, long Bytes);

internal sealed record ModelEngineContract(string Engine, bool Supported, string Reason);

/// <summary>A folder that looks like a model but can't be used, or files that differ between nodes.</summary>
internal sealed record ModelProblemContract(string NodeId, string Path, string Message);
