using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;
using ClusterLlm.NodeAgent.Engines.Builtin.Threading;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>From the projected queries, keys and values of a batch to the attended rows: head norms, rotation, cache, attention.</summary>
internal sealed unsafe class AttentionStep
{
    private readonly ModelConfig _config;
    private readonly KernelSet _kernels;
    private readonly Workspace _workspace;
    private readonly KvCache _cache;
    private readonly DelegateWork _prepare, _attend;
    private readonly int[] _slots;
    private readonly int[] _positions;
    private readonly float _scale;
    private LayerWeights? _layer;
    private int _layerIndex;
    private int _rows;

    public AttentionStep(ModelConfig config, KernelSet kernels, Workspace workspace, KvCache cache)
    {
        _config = config;
        _kernels = kernels;
        _workspace = workspace;
        _cache = cache;
        _slots = new int[workspace.Rows];
        _positions = new int[workspace.Rows];
        _scale = (float)(1 / Math.Sqrt(config.HeadDim));
        _prepare = new DelegateWork(PrepareRows);
        _attend = new DelegateWork(AttendHeads);
    }

    /// <summary>Takes a step's segments, makes room in the cache and computes the rotations of all rows.</summary>
    /// <returns>Rows of the step.</returns>
    public int Begin(ReadOnlySpan<SequenceSegment> segments, RotaryFrequencies rotary)
    {
        _rows = 0;
        foreach (var segment in segments)
        {
            _cache.Extend(segment);
            for (var row = 0; row < segment.Rows; row++, _rows++)
            {
                _slots[_rows] = segment.Slot;
                _positions[_rows] = segment.Position + row;
                var offset = _rows * rotary.Half;
                rotary.Fill(
                    segment.Position + row, new Span<float>(_workspace.Cosines + offset, rotary.Half), new Span<float>(_workspace.Sines + offset, rotary.Half));
            }
        }

        return _rows;
    }

    /// <summary>Attends in one layer; all keys of the step are in the cache before the first query reads them.</summary>
    public void Run(ComputePool pool, LayerWeights layer, int layerIndex)
    {
        _layer = layer;
        _layerIndex = layerIndex;
        pool.Run(_prepare, _rows, Math.Max(1, _rows / (4 * pool.Workers)));
        pool.Run(_attend, _rows * _config.AttentionHeads, Math.Max(1, _rows * _config.AttentionHeads / (8 * pool.Workers)));
    }

    private void PrepareRows(int first, int end, int worker)
    {
        var dim = _config.HeadDim;
        for (var row = first; row < end; row++)
        {
            var queries = _workspace.Queries + ((long)row * _workspace.QueryStride);
            for (var head = 0; head < _config.AttentionHeads; head++)
            {
                PrepareHead(queries + (head * dim), _layer!.QueryNorm, row);
            }

            var keys = _workspace.Keys + ((long)row * _workspace.KeyStride);
            var values = _workspace.Values + ((long)row * _workspace.KeyStride);
            for (var head = 0; head < _config.KvHeads; head++)
            {
                PrepareHead(keys + (head * dim), _layer!.KeyNorm, row);
                _cache.Store(_slots[row], _layerIndex, head, _positions[row], keys + (head * dim), values + (head * dim));
            }
        }
    }

    private void PrepareHead(float* head, NativeBuffer? norm, int row)
    {
        if (norm is not null)
        {
            _kernels.RmsNorm(head, norm.Pointer, head, _config.HeadDim, (float)_config.RmsNormEpsilon);
        }

        var half = _config.HeadDim / 2;
        _kernels.Rotate(head, _workspace.Cosines + ((long)row * half), _workspace.Sines + ((long)row * half), half);
    }

    /// <summary>Items are (row, query head); heads that share keys come one after the other, while these are in the processor's cache.</summary>
    private void AttendHeads(int first, int end, int worker)
    {
        var dim = _config.HeadDim;
        var queriesPerKey = _config.AttentionHeads / _config.KvHeads;
        for (var item = first; item < end; item++)
        {
            var row = item / _config.AttentionHeads;
            var head = item % _config.AttentionHeads;
            var offset = ((long)row * _workspace.QueryStride) + (head * dim);
            var cache = _cache.Head(_slots[row], _layerIndex, head / queriesPerKey);
            _kernels.Attend(
                _workspace.Queries + offset, cache, _positions[row] + 1, dim, _scale, _workspace.Attended + offset, _workspace.Scratch(worker));
        }
    }
}
