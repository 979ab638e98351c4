using System.Runtime.Intrinsics;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>Affine weights × one row of activations, decoded in registers: the step that decoding one sequence consists of.</summary>
/// <remarks>Same order of operations as <see cref="MatrixKernel{TLanes, TVector}"/>, so also the same bits.</remarks>
internal static unsafe class VectorKernel<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int TileRows = MatrixKernel<TLanes, TVector>.TileRows;

    /// <summary>Computes y[o] for the outputs [<paramref name="firstOutput"/>, <paramref name="endOutput"/>).</summary>
    /// <param name="scratch">Room for 2 × groups floats per tile row.</param>
    public static void Multiply(WeightMatrix matrix, float* x, float* y, int firstOutput, int endOutput, float* scratch)
    {
        var rows = stackalloc byte*[TileRows];
        var scales = stackalloc float*[TileRows];
        var biases = stackalloc float*[TileRows];
        var results = stackalloc float[TileRows];
        for (var output = firstOutput; output < endOutput; output += TileRows)
        {
            for (var index = 0; index < TileRows; index++)
            {
                // Past the end the last row is computed again: cheaper than a second kernel for fewer rows.
                var row = Math.Min(output + index, endOutput - 1);
                var place = scratch + (index * 2 * matrix.Groups);
                RowDecoder<TLanes, TVector>.LoadScales(matrix, row, ref place, out biases[index]);
                scales[index] = place;
                rows[index] = matrix.Row(row);
            }

            if (matrix.Format == WeightFormat.Affine4)
            {
                MultiplyNibbles(matrix, rows, scales, biases, x, results);
            }
            else
            {
                MultiplyBytes(matrix, rows, scales, biases, x, results);
            }

            new Span<float>(results, Math.Min(TileRows, endOutput - output)).CopyTo(new Span<float>(y + output, TileRows));
        }
    }

    private static void MultiplyNibbles(WeightMatrix matrix, byte** rows, float** scales, float** biases, float* x, float* results)
    {
        TVector a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
        byte* r0 = rows[0], r1 = rows[1], r2 = rows[2], r3 = rows[3];
        var groupSize = matrix.GroupSize;
        var groups = matrix.Groups;
        for (var group = 0; group < groups; group++)
        {
            TVector s0 = TLanes.Broadcast(scales[0][group]), z0 = TLanes.Broadcast(biases[0][group]);
            TVector s1 = TLanes.Broadcast(scales[1][group]), z1 = TLanes.Broadcast(biases[1][group]);
            TVector s2 = TLanes.Broadcast(scales[2][group]), z2 = TLanes.Broadcast(biases[2][group]);
            TVector s3 = TLanes.Broadcast(scales[3][group]), z3 = TLanes.Broadcast(biases[3][group]);
            var end = (group + 1) * groupSize;
            for (var column = group * groupSize; column < end; column += 2 * TLanes.Count)
            {
                var place = column / 2;
                TVector even = TLanes.Load(x + column), odd = TLanes.Load(x + column + TLanes.Count);
                TLanes.LoadNibbles(r0 + place, s0, z0, out var w, out var v);
                a0 = TLanes.MultiplyAdd(v, odd, TLanes.MultiplyAdd(w, even, a0));
                TLanes.LoadNibbles(r1 + place, s1, z1, out w, out v);
                a1 = TLanes.MultiplyAdd(v, odd, TLanes.MultiplyAdd(w, even, a1));
                TLanes.LoadNibbles(r2 + place, s2, z2, out w, out v);
                a2 = TLanes.MultiplyAdd(v, odd, TLanes.MultiplyAdd(w, even, a2));
                TLanes.LoadNibbles(r3 + place, s3, z3, out w, out v);
                a3 = TLanes.MultiplyAdd(v, odd, TLanes.MultiplyAdd(w, even, a3));
            }
        }

        TLanes.SumFour(a0, a1, a2, a3).Store(results);
    }

    private static void MultiplyBytes(WeightMatrix matrix, byte** rows, float** scales, float** biases, float* x, float* results)
    {
        TVector a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
        byte* r0 = rows[0], r1 = rows[1], r2 = rows[2], r3 = rows[3];
        var groupSize = matrix.GroupSize;
        var groups = matrix.Groups;
        for (var group = 0; group < groups; group++)
        {
            TVector s0 = TLanes.Broadcast(scales[0][group]), z0 = TLanes.Broadcast(biases[0][group]);
            TVector s1 = TLanes.Broadcast(scales[1][group]), z1 = TLanes.Broadcast(biases[1][group]);
            TVector s2 = TLanes.Broadcast(scales[2][group]), z2 = TLanes.Broadcast(biases[2][group]);
            TVector s3 = TLanes.Broadcast(scales[3][group]), z3 = TLanes.Broadcast(biases[3][group]);
            var end = (group + 1) * groupSize;
            for (var column = group * groupSize; column < end; column += TLanes.Count)
            {
                var value = TLanes.Load(x + column);
                a0 = TLanes.MultiplyAdd(TLanes.LoadBytes(r0 + column, s0, z0), value, a0);
                a1 = TLanes.MultiplyAdd(TLanes.LoadBytes(r1 + column, s1, z1), value, a1);
                a2 = TLanes.MultiplyAdd(TLanes.LoadBytes(r2 + column, s2, z2), value, a2);
                a3 = TLanes.MultiplyAdd(TLanes.LoadBytes(r3 + column, s3, z3), value, a3);
            }
        }

        TLanes.SumFour(a0, a1, a2, a3).Store(results);
    }
}
