using System.Collections.Immutable;
using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.ModelStore;

/// <summary>What the model directories hold.</summary>
/// <param name="Models">By id.</param>
/// <param name="Problems">Folders that look like models but can't be read.</param>
internal sealed record ModelInventory(ImmutableArray<ModelFolder> Models, ImmutableArray<ModelProblem> Problems);

internal sealed record ModelProblem(string Path, string Message);
