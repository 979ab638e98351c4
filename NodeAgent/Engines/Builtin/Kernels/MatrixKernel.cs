using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>Weights × activations: y[r, o] = Σ w[o, i] · x[r, i].</summary>
/// <remarks>
/// Each output is one chain of fused multiply-adds per vector lane in the order of the columns, whatever the number of activation rows and
/// whichever path computes it: a sequence gets the same bits alone, in a batch, and with its prompt cut into other chunks.
/// </remarks>
internal static unsafe class MatrixKernel<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>Weight rows that are multiplied together; one tile of them is decoded at a time.</summary>
    public const int TileRows = 4;

    /// <summary>Computes the outputs [<paramref name="firstOutput"/>, <paramref name="endOutput"/>) for all rows of activations.</summary>
    /// <param name="x">Rows × <paramref name="xStride"/>; in split order for 4-bit weights; zero from the columns to the padded columns.</param>
    /// <param name="y">Rows × <paramref name="yStride"/>.</param>
    /// <param name="scratch"><see cref="ScratchFloats"/> floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        WeightMatrix matrix, float* x, int xStride, int rows, float* y, int yStride, int firstOutput, int endOutput, float* scratch)
    {
        if (rows <= VectorKernel<TLanes, TVector>.MostRows && matrix.IsAffine)
        {
            VectorKernel<TLanes, TVector>.Multiply(matrix, x, xStride, rows, y, yStride, firstOutput, endOutput, scratch);
            return;
        }

        var padded = RowDecoder<TLanes, TVector>.PaddedColumns(matrix.Columns);
        var scales = scratch + (TileRows * padded);
        for (var output = firstOutput; output < endOutput; output += TileRows)
        {
            var valid = Math.Min(TileRows, endOutput - output);
            for (var row = 0; row < valid; row++)
            {
                RowDecoder<TLanes, TVector>.DecodeRow(matrix, output + row, scratch + (row * padded), scales);
            }

            MultiplyTile(scratch, padded, valid, x, xStride, rows, y + output, yStride);
        }
    }

    /// <summary>Floats of scratch that one worker needs for matrices of up to <paramref name="columns"/> columns.</summary>
    public static int ScratchFloats(int columns) =>
        ((TileRows + 1) * RowDecoder<TLanes, TVector>.PaddedColumns(columns)) + 128;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTile(float* tile, int padded, int valid, float* x, int xStride, int rows, float* y, int yStride)
    {
        var results = stackalloc float[TileRows * 4];
        var row = 0;
        for (; row + 4 <= rows; row += 4)
        {
            FourByFour(tile, padded, x + ((long)row * xStride), xStride, results);
            Keep(results, valid, 4, y + ((long)row * yStride), yStride);
        }

        for (; row < rows; row++)
        {
            FourByOne(tile, padded, x + ((long)row * xStride), results);
            Keep(results, valid, 1, y + ((long)row * yStride), yStride);
        }
    }

    /// <summary>Copies results[row × 4 + output] to where they belong; outputs past the matrix's end are dropped.</summary>
    private static void Keep(float* results, int valid, int rows, float* y, int yStride)
    {
        for (var row = 0; row < rows; row++, y += yStride, results += TileRows)
        {
            if (valid == TileRows)
            {
                Vector128.Load(results).Store(y);
                continue;
            }

            for (var output = 0; output < valid; output++)
            {
                y[output] = results[output];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByOne(float* w, int padded, float* x, float* results)
    {
        TVector a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
        float* w1 = w + padded, w2 = w1 + padded, w3 = w2 + padded;
        for (var i = 0; i < padded; i += TLanes.Count)
        {
            var v = TLanes.Load(x + i);
            a0 = TLanes.MultiplyAdd(TLanes.Load(w + i), v, a0);
            a1 = TLanes.MultiplyAdd(TLanes.Load(w1 + i), v, a1);
            a2 = TLanes.MultiplyAdd(TLanes.Load(w2 + i), v, a2);
            a3 = TLanes.MultiplyAdd(TLanes.Load(w3 + i), v, a3);
        }

        TLanes.SumFour(a0, a1, a2, a3).Store(results);
    }

    /// <summary>Sixteen accumulators: each vector that is loaded is used four times.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByFour(float* w, int padded, float* x, int xStride, float* results)
    {
        TVector a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
        TVector b0 = TLanes.Zero, b1 = TLanes.Zero, b2 = TLanes.Zero, b3 = TLanes.Zero;
        TVector c0 = TLanes.Zero, c1 = TLanes.Zero, c2 = TLanes.Zero, c3 = TLanes.Zero;
        TVector d0 = TLanes.Zero, d1 = TLanes.Zero, d2 = TLanes.Zero, d3 = TLanes.Zero;
        float* w1 = w + padded, w2 = w1 + padded, w3 = w2 + padded;
        float* x1 = x + xStride, x2 = x1 + xStride, x3 = x2 + xStride;
        for (var i = 0; i < padded; i += TLanes.Count)
        {
            TVector v0 = TLanes.Load(w + i), v1 = TLanes.Load(w1 + i), v2 = TLanes.Load(w2 + i), v3 = TLanes.Load(w3 + i);
            var value = TLanes.Load(x + i);
            a0 = TLanes.MultiplyAdd(v0, value, a0);
            a1 = TLanes.MultiplyAdd(v1, value, a1);
            a2 = TLanes.MultiplyAdd(v2, value, a2);
            a3 = TLanes.MultiplyAdd(v3, value, a3);
            value = TLanes.Load(x1 + i);
            b0 = TLanes.MultiplyAdd(v0, value, b0);
            b1 = TLanes.MultiplyAdd(v1, value, b1);
            b2 = TLanes.MultiplyAdd(v2, value, b2);
            b3 = TLanes.MultiplyAdd(v3, value, b3);
            value = TLanes.Load(x2 + i);
            c0 = TLanes.MultiplyAdd(v0, value, c0);
            c1 = TLanes.MultiplyAdd(v1, value, c1);
            c2 = TLanes.MultiplyAdd(v2, value, c2);
            c3 = TLanes.MultiplyAdd(v3, value, c3);
            value = TLanes.Load(x3 + i);
            d0 = TLanes.MultiplyAdd(v0, value, d0);
            d1 = TLanes.MultiplyAdd(v1, value, d1);
            d2 = TLanes.MultiplyAdd(v2, value, d2);
            d3 = TLanes.MultiplyAdd(v3, value, d3);
        }

        TLanes.SumFour(a0, a1, a2, a3).Store(results);
        TLanes.SumFour(b0, b1, b2, b3).Store(results + 4);
        TLanes.SumFour(c0, c1, c2, c3).Store(results + 8);
        TLanes.SumFour(d0, d1, d2, d3).Store(results + 12);
    }
}
