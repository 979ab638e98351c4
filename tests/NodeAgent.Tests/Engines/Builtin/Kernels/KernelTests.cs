using System.Runtime.Intrinsics;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin.Kernels;

/// <summary>Every kernel at every register width against sums in double precision.</summary>
public sealed unsafe class KernelTests
{
    private static readonly KernelSet[] Sets =
    [
        new KernelSet<Lanes128, Vector128<float>>("128"),
        new KernelSet<Lanes256, Vector256<float>>("256"),
        new KernelSet<Lanes512, Vector512<float>>("512"),
    ];

    public static TheoryData<int, int, int, int, int, int, int> Products
    {
        get
        {
            var data = new TheoryData<int, int, int, int, int, int, int>();
            foreach (var set in Enumerable.Range(0, 3))
            {
                foreach (var format in new[] { WeightFormat.Float32, WeightFormat.Float16, WeightFormat.BrainFloat16 })
                {
                    data.Add(set, (int)format, 0, 0, 7, 100, 1);
                    data.Add(set, (int)format, 0, 0, 16, 37, 6);
                    data.Add(set, (int)format, 0, 0, 1, 64, 9);
                    foreach (var groupSize in new[] { 32, 64, 128 })
                    {
                        foreach (var packed in new[] { WeightFormat.Affine4, WeightFormat.Affine8 })
                        {
                            data.Add(set, (int)packed, (int)format, groupSize, 9, groupSize, 1);
                            data.Add(set, (int)packed, (int)format, groupSize, 10, groupSize * 3, 1);
                            data.Add(set, (int)packed, (int)format, groupSize, 7, groupSize * 2, 2);
                            data.Add(set, (int)packed, (int)format, groupSize, 9, groupSize * 3, 3);
                            data.Add(set, (int)packed, (int)format, groupSize, 6, groupSize * 5, 11);
                        }
                    }
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Multiply_AnyFormat_EqualsDoublePrecision(int set, int format, int scaleFormat, int groupSize, int outputs, int columns, int rows)
    {
        var random = new Random(outputs + columns);
        var kernels = Sets[set];
        using var data = MatrixData.Create(random, (WeightFormat)format, (WeightFormat)scaleFormat, groupSize, outputs, columns);
        var stride = kernels.PaddedColumns(columns);
        using var x = new NativeBuffer((long)rows * stride);
        using var ordered = new NativeBuffer((long)rows * stride);
        using var y = new NativeBuffer((long)rows * outputs);
        using var scratch = new NativeBuffer(kernels.ScratchFloats(columns));
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                x.Pointer[(row * stride) + column] = (float)(random.NextDouble() - 0.5);
            }

            if (data.Matrix.Format == WeightFormat.Affine4)
            {
                kernels.Split(x.Pointer + (row * stride), ordered.Pointer + (row * stride), columns);
            }
            else
            {
                new ReadOnlySpan<float>(x.Pointer + (row * stride), stride).CopyTo(new Span<float>(ordered.Pointer + (row * stride), stride));
            }
        }

        kernels.Multiply(data.Matrix, ordered.Pointer, stride, rows, y.Pointer, outputs, 0, outputs, scratch.Pointer);

        for (var row = 0; row < rows; row++)
        {
            for (var output = 0; output < outputs; output++)
            {
                var expected = 0.0;
                for (var column = 0; column < columns; column++)
                {
                    expected += data.Values[output, column] * x.Pointer[(row * stride) + column];
                }

                Assert.Equal(expected, y.Pointer[(row * outputs) + output], 2e-4);
            }
        }
    }

    [Theory]
    [InlineData(0, 7)]
    [InlineData(1, 7)]
    [InlineData(2, 7)]
    [InlineData(0, 2)]
    [InlineData(1, 3)]
    [InlineData(2, 4)]
    public void Multiply_RowAloneOrInBatch_GivesTheSameBits(int set, int rows)
    {
        var kernels = Sets[set];
        foreach (var (format, groupSize) in new[] { (WeightFormat.Affine4, 32), (WeightFormat.Affine8, 64), (WeightFormat.BrainFloat16, 0) })
        {
            const int Columns = 192, Outputs = 13;
            using var data = MatrixData.Create(new Random(5), format, WeightFormat.BrainFloat16, groupSize, Outputs, Columns);
            using var x = new NativeBuffer(rows * Columns);
            using var together = new NativeBuffer(rows * Outputs);
            using var alone = new NativeBuffer(Outputs);
            using var scratch = new NativeBuffer(kernels.ScratchFloats(Columns));
            var random = new Random(6);
            for (var index = 0; index < rows * Columns; index++)
            {
                x.Pointer[index] = (float)(random.NextDouble() - 0.5);
            }

            kernels.Multiply(data.Matrix, x.Pointer, Columns, rows, together.Pointer, Outputs, 0, Outputs, scratch.Pointer);
            for (var row = 0; row < rows; row++)
            {
                kernels.Multiply(data.Matrix, x.Pointer + (row * Columns), Columns, 1, alone.Pointer, Outputs, 0, 5, scratch.Pointer);
                kernels.Multiply(data.Matrix, x.Pointer + (row * Columns), Columns, 1, alone.Pointer, Outputs, 5, Outputs, scratch.Pointer);
                Assert.Equal(new Span<float>(together.Pointer + (row * Outputs), Outputs).ToArray(), new Span<float>(alone.Pointer, Outputs).ToArray());
            }
        }
    }

    [Theory]
    [InlineData(0, 64, 1)]
    [InlineData(1, 64, 128)]
    [InlineData(2, 64, 129)]
    [InlineData(0, 20, 300)]
    [InlineData(1, 100, 17)]
    [InlineData(2, 128, 300)]
    public void Attend_BlocksOfPositions_EqualsDoublePrecision(int set, int headDim, int length)
    {
        const int BlockTokens = 128;
        var random = new Random(length);
        var blockCount = (length + BlockTokens - 1) / BlockTokens;
        using var memory = new NativeBuffer(blockCount * 2L * BlockTokens * headDim);
        using var query = new NativeBuffer(headDim);
        using var output = new NativeBuffer(headDim);
        using var scores = new NativeBuffer(BlockTokens);
        for (var index = 0; index < memory.Count; index++)
        {
            memory.Pointer[index] = (float)(random.NextDouble() - 0.5) * 4;
        }

        for (var index = 0; index < headDim; index++)
        {
            query.Pointer[index] = (float)(random.NextDouble() - 0.5) * 4;
        }

        var blocks = Enumerable.Range(0, blockCount).Select(block => (nint)(memory.Pointer + (block * 2L * BlockTokens * headDim))).ToArray();
        var cache = new HeadCache(blocks, BlockTokens, 0, BlockTokens * headDim);
        Sets[set].Attend(query.Pointer, cache, length, headDim, 0.25f, output.Pointer, scores.Pointer);

        var weights = new double[length];
        for (var position = 0; position < length; position++)
        {
            var key = (float*)blocks[position / BlockTokens] + (position % BlockTokens * headDim);
            weights[position] = Math.Exp(0.25 * Enumerable.Range(0, headDim).Sum(index => (double)query.Pointer[index] * key[index]));
        }

        for (var index = 0; index < headDim; index++)
        {
            var expected = Enumerable.Range(0, length).Sum(position =>
                weights[position] * ((float*)blocks[position / BlockTokens])[(BlockTokens * headDim) + (position % BlockTokens * headDim) + index]) / weights.Sum();
            Assert.Equal(expected, output.Pointer[index], 1e-4);
        }
    }

    [Theory]
    [InlineData(0, 30)]
    [InlineData(1, 31)]
    [InlineData(2, 100)]
    public void RowKernels_OddWidths_EqualDoublePrecision(int set, int count)
    {
        var random = new Random(count);
        float[] Numbers() => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * 6))];
        var (x, weight, up) = (Numbers(), Numbers(), Numbers());
        var (normed, gate, sum) = (new float[count], (float[])x.Clone(), (float[])x.Clone());
        fixed (float* px = x, pw = weight, pu = up, pn = normed, pg = gate, ps = sum, scratch = new float[count])
        {
            Sets[set].RmsNorm(px, pw, pn, count, 1e-5f);
            Sets[set].SiluMultiply(pg, pu, scratch, count);
            Sets[set].Add(ps, pu, count);
        }

        var mean = x.Sum(value => (double)value * value) / count;
        for (var index = 0; index < count; index++)
        {
            Assert.Equal(x[index] / Math.Sqrt(mean + 1e-5) * weight[index], normed[index], 1e-5);
            Assert.Equal(x[index] / (1 + Math.Exp(-x[index])) * up[index], gate[index], 1e-5);
            Assert.Equal(x[index] + up[index], sum[index]);
        }
    }
}
