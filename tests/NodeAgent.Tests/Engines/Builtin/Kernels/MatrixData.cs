using System.Runtime.InteropServices;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin.Kernels;

/// <summary>A random matrix in a stored format, with the values that it stands for.</summary>
internal sealed unsafe class MatrixData : IDisposable
{
    private readonly List<nint> _memory = [];

    private MatrixData(WeightMatrix matrix, double[,] values, List<nint> memory)
    {
        Matrix = matrix;
        Values = values;
        _memory = memory;
    }

    public WeightMatrix Matrix { get; }

    /// <summary>Rows × columns.</summary>
    public double[,] Values { get; }

    /// <param name="groupSize">0 for the dense formats.</param>
    public static MatrixData Create(Random random, WeightFormat format, WeightFormat scaleFormat, int groupSize, int rows, int columns)
    {
        List<nint> memory = [];
        var values = new double[rows, columns];
        if (format is not (WeightFormat.Affine4 or WeightFormat.Affine8))
        {
            var data = Dense(random, format, rows * columns, 1, memory, out var elements);
            Fill(values, (row, column) => elements[(row * columns) + column]);
            return new MatrixData(new WeightMatrix(format, data, rows, columns), values, memory);
        }

        var groups = columns / groupSize;
        var scales = Dense(random, scaleFormat, rows * groups, 0.1, memory, out var scaleValues);
        var biases = Dense(random, scaleFormat, rows * groups, 1, memory, out var biasValues);
        var packed = new byte[format == WeightFormat.Affine4 ? rows * columns / 2 : rows * columns];
        random.NextBytes(packed);
        Fill(values, (row, column) =>
        {
            var element = (row * columns) + column;
            var q = format == WeightFormat.Affine8 ? packed[element] : element % 2 == 0 ? packed[element / 2] & 15 : packed[element / 2] >> 4;
            var group = (row * groups) + (column / groupSize);
            return (scaleValues[group] * q) + biasValues[group];
        });
        var matrix = new WeightMatrix(format, Copy(packed, memory), rows, columns)
        {
            Scales = scales,
            Biases = biases,
            ScaleFormat = scaleFormat,
            GroupSize = groupSize,
        };
        return new MatrixData(matrix, values, memory);
    }

    public void Dispose() => _memory.ForEach(place => NativeMemory.Free((void*)(place - 1)));

    private static void Fill(double[,] values, Func<int, int, double> element)
    {
        for (var row = 0; row < values.GetLength(0); row++)
        {
            for (var column = 0; column < values.GetLength(1); column++)
            {
                values[row, column] = element(row, column);
            }
        }
    }

    private static byte* Dense(Random random, WeightFormat format, int count, double size, List<nint> memory, out double[] values)
    {
        var width = format == WeightFormat.Float32 ? 4 : 2;
        var bytes = new byte[count * width];
        values = new double[count];
        for (var index = 0; index < count; index++)
        {
            var value = (float)((random.NextDouble() - 0.5) * 2 * size);
            switch (format)
            {
                case WeightFormat.Float32:
                    MemoryMarshal.Write(bytes.AsSpan(index * 4), value);
                    values[index] = value;
                    break;
                case WeightFormat.Float16:
                    // Some subnormal ones, which need care.
                    var half = (Half)(index % 7 == 0 ? value * 1e-7f : value);
                    MemoryMarshal.Write(bytes.AsSpan(index * 2), half);
                    values[index] = (double)half;
                    break;
                default:
                    var bits = BitConverter.SingleToUInt32Bits(value) >> 16;
                    MemoryMarshal.Write(bytes.AsSpan(index * 2), (ushort)bits);
                    values[index] = BitConverter.UInt32BitsToSingle(bits << 16);
                    break;
            }
        }

        return Copy(bytes, memory);
    }

    /// <summary>At an odd address: tensors of a safetensors file are not aligned.</summary>
    private static byte* Copy(byte[] bytes, List<nint> memory)
    {
        var place = (byte*)NativeMemory.Alloc((nuint)bytes.Length + 1) + 1;
        bytes.CopyTo(new Span<byte>(place, bytes.Length));
        memory.Add((nint)place);
        return place;
    }
}
