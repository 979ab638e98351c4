using System.Runtime.Intrinsics;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>All kernels at one register width. Model code calls these and knows no vector type.</summary>
/// <remarks>
/// Kernels are compiled with full optimisation at once: tier by tier, the first answers of a process would be computed by code that is
/// many times slower, and each tier's code would stay in memory.
/// </remarks>
internal abstract unsafe class KernelSet
{
    /// <summary>The widest set that this processor computes in hardware.</summary>
    public static KernelSet Best { get; } =
        Vector512.IsHardwareAccelerated ? new KernelSet<Lanes512, Vector512<float>>("512-bit vectors")
        : Vector256.IsHardwareAccelerated ? new KernelSet<Lanes256, Vector256<float>>("256-bit vectors")
        : new KernelSet<Lanes128, Vector128<float>>("128-bit vectors");

    /// <summary>Shown to people.</summary>
    public abstract string Name { get; }

    /// <inheritdoc cref="RowDecoder{TLanes, TVector}.PaddedColumns"/>
    public abstract int PaddedColumns(int columns);

    /// <inheritdoc cref="MatrixKernel{TLanes, TVector}.ScratchFloats"/>
    public abstract int ScratchFloats(int columns);

    /// <inheritdoc cref="RowDecoder{TLanes, TVector}.Split"/>
    public abstract void Split(float* source, float* destination, int count);

    /// <summary>Decodes one row into its own order; for looking up embeddings.</summary>
    /// <param name="scratch">Room for 2 × padded columns floats.</param>
    public abstract void DecodeRow(WeightMatrix matrix, int row, float* destination, float* scratch);

    /// <inheritdoc cref="RowDecoder{TLanes, TVector}.DecodeDense"/>
    public abstract void DecodeDense(WeightFormat format, byte* source, int count, float* destination);

    /// <inheritdoc cref="MatrixKernel{TLanes, TVector}.Multiply"/>
    public abstract void Multiply(
        WeightMatrix matrix, float* x, int xStride, int rows, float* y, int yStride, int firstOutput, int endOutput, float* scratch);

    /// <inheritdoc cref="RowKernels{TLanes, TVector}.RmsNorm"/>
    public abstract void RmsNorm(float* x, float* weight, float* y, int count, float epsilon);

    /// <inheritdoc cref="RowKernels{TLanes, TVector}.Rotate"/>
    public abstract void Rotate(float* head, float* cosines, float* sines, int half);

    /// <inheritdoc cref="RowKernels{TLanes, TVector}.SiluMultiply"/>
    public abstract void SiluMultiply(float* gate, float* up, float* scratch, int count);

    /// <inheritdoc cref="RowKernels{TLanes, TVector}.Add"/>
    public abstract void Add(float* x, float* y, int count);

    /// <inheritdoc cref="AttentionKernel{TLanes, TVector}.Attend"/>
    public abstract void Attend(float* query, in HeadCache cache, int length, int headDim, float scale, float* output, float* scores);
}

/// <inheritdoc/>
internal sealed unsafe class KernelSet<TLanes, TVector>(string name) : KernelSet
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    public override string Name => name;

    public override int PaddedColumns(int columns) => RowDecoder<TLanes, TVector>.PaddedColumns(columns);

    public override int ScratchFloats(int columns) => MatrixKernel<TLanes, TVector>.ScratchFloats(columns);

    public override void Split(float* source, float* destination, int count) => RowDecoder<TLanes, TVector>.Split(source, destination, count);

    public override void DecodeRow(WeightMatrix matrix, int row, float* destination, float* scratch) =>
        RowDecoder<TLanes, TVector>.DecodeRowInOrder(matrix, row, destination, scratch);

    public override void DecodeDense(WeightFormat format, byte* source, int count, float* destination) =>
        RowDecoder<TLanes, TVector>.DecodeDense(format, source, count, destination);

    public override void Multiply(
        WeightMatrix matrix, float* x, int xStride, int rows, float* y, int yStride, int firstOutput, int endOutput, float* scratch) =>
        MatrixKernel<TLanes, TVector>.Multiply(matrix, x, xStride, rows, y, yStride, firstOutput, endOutput, scratch);

    public override void RmsNorm(float* x, float* weight, float* y, int count, float epsilon) =>
        RowKernels<TLanes, TVector>.RmsNorm(x, weight, y, count, epsilon);

    public override void Rotate(float* head, float* cosines, float* sines, int half) =>
        RowKernels<TLanes, TVector>.Rotate(head, cosines, sines, half);

    public override void SiluMultiply(float* gate, float* up, float* scratch, int count) =>
        RowKernels<TLanes, TVector>.SiluMultiply(gate, up, scratch, count);

    public override void Add(float* x, float* y, int count) => RowKernels<TLanes, TVector>.Add(x, y, count);

    public override void Attend(float* query, in HeadCache cache, int length, int headDim, float scale, float* output, float* scores) =>
        AttentionKernel<TLanes, TVector>.Attend(query, cache, length, headDim, scale, output, scores);
}
