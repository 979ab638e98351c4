using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>A projection: weights where they lie in the map, and a bias or null.</summary>
internal sealed record Linear(WeightMatrix Weights, NativeBuffer? Bias);

/// <summary>The weights of one decoder layer.</summary>
internal sealed record LayerWeights(
    NativeBuffer InputNorm,
    Linear Query,
    Linear Key,
    Linear Value,
    Linear Output,
    NativeBuffer? QueryNorm,
    NativeBuffer? KeyNorm,
    NativeBuffer PostAttentionNorm,
    Linear Gate,
    Linear Up,
    Linear Down);

/// <summary>The weights of a stage: its layers, the embedding on the first stage, the final norm and the head on the last one.</summary>
internal sealed class StageWeights : IDisposable
{
    private readonly TensorMapping _mapping;
    private readonly List<NativeBuffer> _vectors;

    /// <param name="mapping">Owned from now on.</param>
    /// <param name="vectors">Norms and biases as floats; owned from now on.</param>
    public StageWeights(TensorMapping mapping, List<NativeBuffer> vectors)
    {
        _mapping = mapping;
        _vectors = vectors;
    }

    public required WeightMatrix? Embedding { get; init; }

    public required LayerWeights[] Layers { get; init; }

    public required NativeBuffer? FinalNorm { get; init; }

    public required WeightMatrix? Head { get; init; }

    public void Prefetch(IProgress<long> progress, CancellationToken cancellationToken) => _mapping.Prefetch(progress, cancellationToken);

    public void Dispose()
    {
        _mapping.Dispose();
        foreach (var vector in _vectors)
        {
            vector.Dispose();
        }
    }
}
