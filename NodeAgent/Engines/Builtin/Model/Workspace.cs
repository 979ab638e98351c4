using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>The memory of one step: a row of each buffer per row of the batch, and scratch per worker.</summary>
/// <remarks>Strides are padded to whole vectors; the padding is always zero, since it is multiplied too.</remarks>
internal sealed unsafe class Workspace : IDisposable
{
    private readonly NativeBuffer _memory;
    private readonly long _scratchFloats;
    private float* _next;

    /// <param name="rows">Most rows of a step.</param>
    /// <param name="logitRows">Rows that get logits; 0 on stages without the head.</param>
    public Workspace(ModelConfig config, KernelSet kernels, int rows, int logitRows, int workers)
    {
        Rows = rows;
        HiddenStride = kernels.PaddedColumns(config.HiddenSize);
        QueryStride = kernels.PaddedColumns(config.AttentionHeads * config.HeadDim);
        KeyStride = kernels.PaddedColumns(config.KvHeads * config.HeadDim);
        InnerStride = kernels.PaddedColumns(config.IntermediateSize);
        var widest = Math.Max(HiddenStride, Math.Max(QueryStride, InnerStride));
        _scratchFloats = Align(kernels.ScratchFloats(widest) + BuiltinMemory.KvBlockTokens + widest);
        var perRow = (3L * HiddenStride) + (2L * QueryStride) + (2L * KeyStride) + (2L * InnerStride) + widest + Align(config.HeadDim);
        var logits = Align(config.VocabularySize) + HiddenStride;
        _memory = new NativeBuffer((rows * perRow) + (logitRows * logits) + (workers * _scratchFloats) + 256);
        _next = _memory.Pointer;
        Hidden = Take((long)rows * HiddenStride);
        Normed = Take((long)rows * HiddenStride);
        Delta = Take((long)rows * HiddenStride);
        Queries = Take((long)rows * QueryStride);
        Attended = Take((long)rows * QueryStride);
        Keys = Take((long)rows * KeyStride);
        Values = Take((long)rows * KeyStride);
        Gate = Take((long)rows * InnerStride);
        Up = Take((long)rows * InnerStride);
        Split = Take((long)rows * widest);
        Cosines = Take((long)rows * (config.HeadDim / 2));
        Sines = Take((long)rows * (config.HeadDim / 2));
        Final = Take((long)logitRows * HiddenStride);
        Logits = Take((long)logitRows * config.VocabularySize);
        ScratchStart = Take(workers * _scratchFloats);
    }

    public int Rows { get; }

    public int HiddenStride { get; }

    public int QueryStride { get; }

    public int KeyStride { get; }

    public int InnerStride { get; }

    /// <summary>The residual stream.</summary>
    public float* Hidden { get; }

    public float* Normed { get; }

    /// <summary>What a projection adds to the residual stream.</summary>
    public float* Delta { get; }

    public float* Queries { get; }

    public float* Attended { get; }

    public float* Keys { get; }

    public float* Values { get; }

    public float* Gate { get; }

    public float* Up { get; }

    /// <summary>The input of the current projection in the order of 4-bit weights.</summary>
    public float* Split { get; }

    public float* Cosines { get; }

    public float* Sines { get; }

    /// <summary>Normed rows that get logits.</summary>
    public float* Final { get; }

    /// <summary>Logit rows × vocabulary.</summary>
    public float* Logits { get; }

    private float* ScratchStart { get; }

    public float* Scratch(int worker) => ScratchStart + (worker * _scratchFloats);

    public void Dispose() => _memory.Dispose();

    private static long Align(long floats) => (floats + 15) / 16 * 16;

    private float* Take(long floats)
    {
        var start = _next;
        _next += Align(floats);
        return start;
    }
}
