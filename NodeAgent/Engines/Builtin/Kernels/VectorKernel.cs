using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>Affine weights × a few rows of activations, decoded in registers: the step that decoding one sequence, or a few together, consists of.</summary>
/// <remarks>Same order of operations as <see cref="MatrixKernel{TLanes, TVector}"/>, so also the same bits.</remarks>
internal static unsafe class VectorKernel<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>
    /// Most rows of activations. They are taken by twos, and each two decode anew; with more it is cheaper to decode a tile once and to multiply from
    /// the cache (two rows of SmolLM2 that way: 125 tokens a second on two threads of an AMD EPYC, in registers 310).
    /// </summary>
    public const int MostRows = 4;

    private const int TileRows = MatrixKernel<TLanes, TVector>.TileRows;

    /// <summary>
    /// Fewest bytes between what is multiplied and what is fetched. Four rows side by side look like no stream to the processor, which then fetches
    /// too late: with 576 columns of 8 bits, one thread of an AMD EPYC went from 9 GB/s to 16 at 1 KB and to 20 at 2 to 16 KB. Wide rows need a
    /// whole tile, since their later rows are read before a shorter way has come to them: 29568 columns of 4 bits went from 12 GB/s to 17.
    /// </summary>
    private const int Ahead = 4096;

    /// <summary>Computes y[r, o] for the outputs [<paramref name="firstOutput"/>, <paramref name="endOutput"/>).</summary>
    /// <param name="x">Rows × <paramref name="xStride"/>.</param>
    /// <param name="rows">From 1 to <see cref="MostRows"/>.</param>
    /// <param name="y">Rows × <paramref name="yStride"/>.</param>
    /// <param name="scratch">Room for 2 × groups floats per tile row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        WeightMatrix matrix, float* x, int xStride, int rows, float* y, int yStride, int firstOutput, int endOutput, float* scratch)
    {
        for (int output = firstOutput, valid; output < endOutput; output += valid)
        {
            valid = endOutput - output >= TileRows ? TileRows : 1;
            var scales = scratch;
            RowDecoder<TLanes, TVector>.LoadScales(matrix, output, valid, ref scales, out var biases);
            var row = 0;
            for (; row + 2 <= rows; row += 2)
            {
                MultiplyTile<Two>(matrix, output, valid, scales, biases, x + ((long)row * xStride), xStride, out var first, out var second);
                Keep(first, valid, y + ((long)row * yStride) + output);
                Keep(second, valid, y + ((row + 1L) * yStride) + output);
            }

            if (row < rows)
            {
                MultiplyTile<One>(matrix, output, valid, scales, biases, x + ((long)row * xStride), 0, out var only, out _);
                Keep(only, valid, y + ((long)row * yStride) + output);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(Vector128<float> results, int valid, float* y)
    {
        if (valid == TileRows)
        {
            results.Store(y);
            return;
        }

        *y = results[0];
    }

    /// <summary>The products of <see cref="TileRows"/> weight rows, or of one that is then computed that many times: no second kernel for the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyTile<TRows>(
        WeightMatrix matrix, int output, int valid, float* scales, float* biases, float* x, int xStride,
        out Vector128<float> first, out Vector128<float> second)
        where TRows : struct, IRows
    {
        var (rowStride, scaleStride) = valid == 1 ? (0, 0) : (matrix.RowBytes, matrix.Groups);
        if (matrix.Format == WeightFormat.Affine4)
        {
            MultiplyNibbles<TRows>(
                matrix.Row(output), rowStride, scales, biases, scaleStride, matrix.Groups, matrix.GroupSize, x, x + xStride, out first, out second);
            return;
        }

        MultiplyBytes<TRows>(
            matrix.Row(output), rowStride, scales, biases, scaleStride, matrix.Groups, matrix.GroupSize, x, x + xStride, out first, out second);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyNibbles<TRows>(
        byte* r0, long rowStride, float* scales, float* biases, long scaleStride, int groups, int groupSize, float* x, float* x2,
        out Vector128<float> first, out Vector128<float> second)
        where TRows : struct, IRows
    {
        byte* r1 = r0 + rowStride, r2 = r1 + rowStride, r3 = r2 + rowStride, next = r0 + Math.Max(Ahead, TileRows * rowStride);
        TVector a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
        TVector b0 = TLanes.Zero, b1 = TLanes.Zero, b2 = TLanes.Zero, b3 = TLanes.Zero;
        var column = 0;
        for (var end = groupSize; groups > 0; groups--, end += groupSize, scales++, biases++)
        {
            TVector s0 = TLanes.Broadcast(scales[0]), z0 = TLanes.Broadcast(biases[0]);
            TVector s1 = TLanes.Broadcast(scales[scaleStride]), z1 = TLanes.Broadcast(biases[scaleStride]);
            TVector s2 = TLanes.Broadcast(scales[2 * scaleStride]), z2 = TLanes.Broadcast(biases[2 * scaleStride]);
            TVector s3 = TLanes.Broadcast(scales[3 * scaleStride]), z3 = TLanes.Broadcast(biases[3 * scaleStride]);
            for (; column < end; column += 2 * TLanes.Count)
            {
                var place = column / 2;
                Prefetch.Line(next + (TileRows * place));
                float* at = x + column, at2 = x2 + column;
                TLanes.LoadNibbles(r0 + place, s0, z0, out var w, out var v);
                AddPairs<TRows>(w, v, at, at2, ref a0, ref b0);
                TLanes.LoadNibbles(r1 + place, s1, z1, out w, out v);
                AddPairs<TRows>(w, v, at, at2, ref a1, ref b1);
                TLanes.LoadNibbles(r2 + place, s2, z2, out w, out v);
                AddPairs<TRows>(w, v, at, at2, ref a2, ref b2);
                TLanes.LoadNibbles(r3 + place, s3, z3, out w, out v);
                AddPairs<TRows>(w, v, at, at2, ref a3, ref b3);
            }
        }

        first = TLanes.SumFour(a0, a1, a2, a3);
        second = TRows.AreTwo ? TLanes.SumFour(b0, b1, b2, b3) : first;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyBytes<TRows>(
        byte* r0, long rowStride, float* scales, float* biases, long scaleStride, int groups, int groupSize, float* x, float* x2,
        out Vector128<float> first, out Vector128<float> second)
        where TRows : struct, IRows
    {
        byte* r1 = r0 + rowStride, r2 = r1 + rowStride, r3 = r2 + rowStride, next = r0 + Math.Max(Ahead, TileRows * rowStride);
        TVector a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
        TVector b0 = TLanes.Zero, b1 = TLanes.Zero, b2 = TLanes.Zero, b3 = TLanes.Zero;
        var column = 0;
        for (var end = groupSize; groups > 0; groups--, end += groupSize, scales++, biases++)
        {
            TVector s0 = TLanes.Broadcast(scales[0]), z0 = TLanes.Broadcast(biases[0]);
            TVector s1 = TLanes.Broadcast(scales[scaleStride]), z1 = TLanes.Broadcast(biases[scaleStride]);
            TVector s2 = TLanes.Broadcast(scales[2 * scaleStride]), z2 = TLanes.Broadcast(biases[2 * scaleStride]);
            TVector s3 = TLanes.Broadcast(scales[3 * scaleStride]), z3 = TLanes.Broadcast(biases[3 * scaleStride]);
            for (; column < end; column += TLanes.Count)
            {
                Prefetch.Line(next + (TileRows * column));
                float* at = x + column, at2 = x2 + column;
                Add<TRows>(TLanes.LoadBytes(r0 + column, s0, z0), at, at2, ref a0, ref b0);
                Add<TRows>(TLanes.LoadBytes(r1 + column, s1, z1), at, at2, ref a1, ref b1);
                Add<TRows>(TLanes.LoadBytes(r2 + column, s2, z2), at, at2, ref a2, ref b2);
                Add<TRows>(TLanes.LoadBytes(r3 + column, s3, z3), at, at2, ref a3, ref b3);
            }
        }

        first = TLanes.SumFour(a0, a1, a2, a3);
        second = TRows.AreTwo ? TLanes.SumFour(b0, b1, b2, b3) : first;
    }

    /// <summary>Adds decoded even and odd weights × the activations beside them, for one or two rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddPairs<TRows>(TVector even, TVector odd, float* x, float* x2, ref TVector sum, ref TVector sum2)
        where TRows : struct, IRows
    {
        Add<TRows>(even, x, x2, ref sum, ref sum2);
        Add<TRows>(odd, x + TLanes.Count, x2 + TLanes.Count, ref sum, ref sum2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TRows>(TVector weights, float* x, float* x2, ref TVector sum, ref TVector sum2)
        where TRows : struct, IRows
    {
        sum = TLanes.MultiplyAdd(weights, TLanes.Load(x), sum);
        if (TRows.AreTwo)
        {
            sum2 = TLanes.MultiplyAdd(weights, TLanes.Load(x2), sum2);
        }
    }

    /// <summary>How many rows of activations a kernel is compiled for: the compiler drops what the other one needs.</summary>
    private interface IRows
    {
        static abstract bool AreTwo { get; }
    }

    private readonly struct One : IRows
    {
        public static bool AreTwo => false;
    }

    private readonly struct Two : IRows
    {
        public static bool AreTwo => true;
    }
}
