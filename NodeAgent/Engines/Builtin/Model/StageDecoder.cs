using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;
using ClusterLlm.NodeAgent.Engines.Builtin.Threading;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>Runs batches through a stage's layers: dense Llama, Qwen2 and Qwen3 decoders. One thread at a time.</summary>
internal sealed unsafe class StageDecoder : IDisposable
{
    private readonly ModelConfig _config;
    private readonly StageWeights _weights;
    private readonly KernelSet _kernels;
    private readonly ComputePool _pool;
    private readonly Workspace _workspace;
    private readonly RotaryFrequencies _rotary;
    private readonly MatrixWork _matrixWork;
    private readonly AttentionStep _attention;
    private readonly DelegateWork _normInput, _normPostAttention, _splitAttended, _activate, _addDelta;
    private LayerWeights _layer;
    private bool _addDeltaFirst;
    private int _rows;

    /// <param name="weights">Owned from now on.</param>
    /// <param name="rows">Most rows of a step.</param>
    /// <param name="logitRows">Most rows that get logits in a step.</param>
    public StageDecoder(ModelConfig config, StageWeights weights, KvCache cache, KernelSet kernels, ComputePool pool, int rows, int logitRows)
    {
        _config = config;
        _weights = weights;
        _kernels = kernels;
        _pool = pool;
        _rotary = RotaryFrequencies.Create(config);
        _workspace = new Workspace(config, kernels, rows, weights.Head is null ? 0 : logitRows, pool.Workers);
        _matrixWork = new MatrixWork(kernels, _workspace);
        _attention = new AttentionStep(config, kernels, _workspace, cache);
        _layer = weights.Layers[0];
        _normInput = new DelegateWork((first, end, _) => NormRows(first, end, _layer.InputNorm));
        _normPostAttention = new DelegateWork((first, end, _) => NormRows(first, end, _layer.PostAttentionNorm));
        _splitAttended = new DelegateWork(SplitAttended);
        _activate = new DelegateWork(Activate);
        _addDelta = new DelegateWork((first, end, _) => AddDelta(first, end));
    }

    /// <summary>Most rows of a step.</summary>
    public int MaxRows => _workspace.Rows;

    /// <summary>The residual stream of row <paramref name="row"/>: what the next stage gets.</summary>
    public ReadOnlySpan<float> HiddenRow(int row) => new(_workspace.Hidden + ((long)row * _workspace.HiddenStride), _config.HiddenSize);

    /// <summary>The logits of the <paramref name="index"/>-th row that was asked for.</summary>
    public ReadOnlySpan<float> Logits(int index) => new(_workspace.Logits + ((long)index * _config.VocabularySize), _config.VocabularySize);

    /// <summary>Puts the embeddings of the tokens into the rows.</summary>
    public void Embed(ReadOnlySpan<int> tokens)
    {
        var embedding = _weights.Embedding ?? throw new InvalidOperationException("Only the first stage has the embedding.");
        for (var row = 0; row < tokens.Length; row++)
        {
            var hidden = _workspace.Hidden + ((long)row * _workspace.HiddenStride);
            _kernels.DecodeRow(embedding, tokens[row], hidden, _workspace.Scratch(0));
        }
    }

    /// <summary>Takes the rows of the stage before.</summary>
    /// <param name="activations">Rows × hidden size.</param>
    public void Receive(ReadOnlySpan<float> activations)
    {
        for (var row = 0; row * _config.HiddenSize < activations.Length; row++)
        {
            activations.Slice(row * _config.HiddenSize, _config.HiddenSize)
                .CopyTo(new Span<float>(_workspace.Hidden + ((long)row * _workspace.HiddenStride), _config.HiddenSize));
        }
    }

    /// <summary>Runs the layers over the rows that <see cref="Embed"/> or <see cref="Receive"/> filled; the cache has room for them.</summary>
    /// <param name="logitRows">Rows whose logits are wanted; only on the last stage.</param>
    public void Forward(ReadOnlySpan<SequenceSegment> segments, ReadOnlySpan<int> logitRows)
    {
        _rows = _attention.Begin(segments, _rotary);
        var wanted = logitRows.ToArray();
        _pool.RunPass((Decoder: this, Wanted: wanted), static state => state.Decoder.RunLayers(state.Wanted));
    }

    public void Dispose()
    {
        _workspace.Dispose();
        _weights.Dispose();
    }

    private void RunLayers(int[] logitRows)
    {
        _addDeltaFirst = false;
        for (var index = 0; index < _weights.Layers.Length; index++)
        {
            _layer = _weights.Layers[index];
            RunLayer(index);
        }

        RunRows(_addDelta);
        if (logitRows.Length > 0)
        {
            RunHead(logitRows);
        }
    }

    private void RunLayer(int index)
    {
        var w = _workspace;
        RunRows(_normInput);
        _matrixWork.For(w.Normed, w.Split, w.HiddenStride, _rows)
            .Add(_layer.Query, w.Queries, w.QueryStride)
            .Add(_layer.Key, w.Keys, w.KeyStride)
            .Add(_layer.Value, w.Values, w.KeyStride)
            .Run(_pool);
        _attention.Run(_pool, _layer, index);
        if (_layer.Output.Weights.Format == WeightFormat.Affine4)
        {
            RunRows(_splitAttended);
        }

        _matrixWork.For(w.Attended, w.Split, w.QueryStride, _rows).Add(_layer.Output, w.Delta, w.HiddenStride).Run(_pool);
        _addDeltaFirst = true;
        RunRows(_normPostAttention);
        _matrixWork.For(w.Normed, w.Split, w.HiddenStride, _rows)
            .Add(_layer.Gate, w.Gate, w.InnerStride)
            .Add(_layer.Up, w.Up, w.InnerStride)
            .Run(_pool);
        RunRows(_activate);
        _matrixWork.For(w.Gate, w.Split, w.InnerStride, _rows).Add(_layer.Down, w.Delta, w.HiddenStride).Run(_pool);
    }

    private void RunRows(DelegateWork work) => _pool.Run(work, _rows, Math.Max(1, _rows / (4 * _pool.Workers)));

    private void RunHead(int[] logitRows)
    {
        var w = _workspace;
        for (var index = 0; index < logitRows.Length; index++)
        {
            var hidden = w.Hidden + ((long)logitRows[index] * w.HiddenStride);
            var final = w.Final + ((long)index * w.HiddenStride);
            _kernels.RmsNorm(hidden, _weights.FinalNorm!.Pointer, final, _config.HiddenSize, (float)_config.RmsNormEpsilon);
            SplitRow(final, w.Split + ((long)index * w.HiddenStride), _config.HiddenSize);
        }

        _matrixWork.For(w.Final, w.Split, w.HiddenStride, logitRows.Length)
            .Add(_weights.Head!, null, w.Logits, _config.VocabularySize)
            .Run(_pool);
    }

    private void NormRows(int first, int end, NativeBuffer norm)
    {
        if (_addDeltaFirst)
        {
            AddDelta(first, end);
        }

        for (var row = first; row < end; row++)
        {
            var offset = (long)row * _workspace.HiddenStride;
            var normed = _workspace.Normed + offset;
            _kernels.RmsNorm(_workspace.Hidden + offset, norm.Pointer, normed, _config.HiddenSize, (float)_config.RmsNormEpsilon);
            SplitRow(normed, _workspace.Split + offset, _config.HiddenSize);
        }
    }

    private void AddDelta(int first, int end)
    {
        for (var row = first; row < end; row++)
        {
            var offset = (long)row * _workspace.HiddenStride;
            _kernels.Add(_workspace.Hidden + offset, _workspace.Delta + offset, _config.HiddenSize);
        }
    }

    private void SplitAttended(int first, int end, int worker)
    {
        for (var row = first; row < end; row++)
        {
            var offset = (long)row * _workspace.QueryStride;
            SplitRow(_workspace.Attended + offset, _workspace.Split + offset, _config.AttentionHeads * _config.HeadDim);
        }
    }

    private void Activate(int first, int end, int worker)
    {
        var needsSplit = _layer.Down.Weights.Format == WeightFormat.Affine4;
        for (var row = first; row < end; row++)
        {
            var offset = (long)row * _workspace.InnerStride;
            var gate = _workspace.Gate + offset;
            _kernels.SiluMultiply(gate, _workspace.Up + offset, _workspace.Scratch(worker), _config.IntermediateSize);
            if (needsSplit)
            {
                SplitRow(gate, _workspace.Split + offset, _config.IntermediateSize);
            }
        }
    }

    /// <summary>Only 4-bit weights read the split order, and their columns are whole groups: other widths need none.</summary>
    private void SplitRow(float* source, float* destination, int columns)
    {
        if (columns % 32 == 0)
        {
            _kernels.Split(source, destination, columns);
        }
    }
}
