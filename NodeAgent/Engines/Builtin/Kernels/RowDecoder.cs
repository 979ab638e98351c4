using System.Runtime.CompilerServices;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>Turns stored rows into floats.</summary>
/// <remarks>
/// 4-bit rows come out in "split" order: within each block of 2 × lanes weights first the even ones, then the odd ones, as the nibbles lie.
/// Activations are brought into the same order by <see cref="Split"/>, so that a product needs no shuffling of weights.
/// </remarks>
internal static unsafe class RowDecoder<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>Decodes <paramref name="count"/> elements of a dense type in their own order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DecodeDense(WeightFormat format, byte* source, int count, float* destination)
    {
        var index = 0;
        for (; index <= count - TLanes.Count; index += TLanes.Count)
        {
            TLanes.Store(LoadDense(format, source, index), destination + index);
        }

        if (index < count && count >= TLanes.Count)
        {
            // Some are decoded twice: cheaper than one by one, and groups per row are seldom a multiple of the lanes.
            TLanes.Store(LoadDense(format, source, count - TLanes.Count), destination + count - TLanes.Count);
            return;
        }

        for (; index < count; index++)
        {
            destination[index] = LoadScalar(format, source, index);
        }
    }

    /// <summary>Decodes one row into <see cref="PaddedColumns"/> floats; the padding is zero.</summary>
    /// <param name="scales">Room for 2 × groups floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DecodeRow(WeightMatrix matrix, int row, float* destination, float* scales)
    {
        if (!matrix.IsAffine)
        {
            DecodeDense(matrix.Format, matrix.Row(row), matrix.Columns, destination);
            new Span<float>(destination + matrix.Columns, PaddedColumns(matrix.Columns) - matrix.Columns).Clear();
            return;
        }

        LoadScales(matrix, row, 1, ref scales, out var biases);
        if (matrix.Format == WeightFormat.Affine4)
        {
            DecodeNibbles(matrix.Row(row), scales, biases, matrix.Groups, matrix.GroupSize, destination);
            return;
        }

        DecodeBytes(matrix.Row(row), scales, biases, matrix.Groups, matrix.GroupSize, destination);
    }

    /// <summary>Decodes one row into the order of its columns.</summary>
    /// <param name="scratch">Room for 2 × padded columns floats.</param>
    public static void DecodeRowInOrder(WeightMatrix matrix, int row, float* destination, float* scratch)
    {
        var padded = PaddedColumns(matrix.Columns);
        DecodeRow(matrix, row, scratch, scratch + padded);
        if (matrix.Format != WeightFormat.Affine4)
        {
            new ReadOnlySpan<float>(scratch, matrix.Columns).CopyTo(new Span<float>(destination, matrix.Columns));
            return;
        }

        for (var column = 0; column < matrix.Columns; column++)
        {
            var inBlock = column % (2 * TLanes.Count);
            destination[column] = scratch[column - inBlock + (inBlock / 2) + (inBlock % 2 * TLanes.Count)];
        }
    }

    /// <summary>The smallest multiple of two vectors that holds <paramref name="columns"/>.</summary>
    public static int PaddedColumns(int columns) => (columns + (2 * TLanes.Count) - 1) / (2 * TLanes.Count) * (2 * TLanes.Count);

    /// <summary>Brings activations into the order of 4-bit weights; <paramref name="count"/> is a multiple of 32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Split(float* source, float* destination, int count)
    {
        for (var index = 0; index < count; index += 2 * TLanes.Count)
        {
            TLanes.Deinterleave(source + index, out var even, out var odd);
            TLanes.Store(even, destination + index);
            TLanes.Store(odd, destination + index + TLanes.Count);
        }
    }

    /// <summary>Points at the scales and biases of rows as floats: in the map if they are floats there, else decoded into scratch.</summary>
    /// <param name="scales">In: room for 2 × rows × groups floats. Out: the scales, row after row.</param>
    /// <param name="biases">Out: the biases, row after row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadScales(WeightMatrix matrix, int row, int rows, ref float* scales, out float* biases)
    {
        var count = rows * matrix.Groups;
        var offset = (long)row * matrix.Groups;
        if (matrix.ScaleFormat == WeightFormat.Float32)
        {
            scales = (float*)matrix.Scales + offset;
            biases = (float*)matrix.Biases + offset;
            return;
        }

        biases = scales + count;
        DecodeDense(matrix.ScaleFormat, matrix.Scales + (2 * offset), count, scales);
        DecodeDense(matrix.ScaleFormat, matrix.Biases + (2 * offset), count, biases);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector LoadDense(WeightFormat format, byte* source, int index) => format switch
    {
        WeightFormat.Float32 => TLanes.Load((float*)source + index),
        WeightFormat.Float16 => TLanes.LoadHalves((ushort*)source + index),
        _ => TLanes.LoadBrainFloats((ushort*)source + index),
    };

    private static float LoadScalar(WeightFormat format, byte* source, int index) => format switch
    {
        WeightFormat.Float32 => ((float*)source)[index],
        WeightFormat.Float16 => (float)((Half*)source)[index],
        _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)source)[index] << 16),
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeNibbles(byte* source, float* scales, float* biases, int groups, int groupSize, float* destination)
    {
        for (; groups > 0; groups--, scales++, biases++)
        {
            TVector scale = TLanes.Broadcast(*scales), bias = TLanes.Broadcast(*biases);
            for (var end = destination + groupSize; destination < end; destination += 2 * TLanes.Count, source += TLanes.Count)
            {
                TLanes.LoadNibbles(source, scale, bias, out var even, out var odd);
                TLanes.Store(even, destination);
                TLanes.Store(odd, destination + TLanes.Count);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeBytes(byte* source, float* scales, float* biases, int groups, int groupSize, float* destination)
    {
        for (; groups > 0; groups--, scales++, biases++)
        {
            TVector scale = TLanes.Broadcast(*scales), bias = TLanes.Broadcast(*biases);
            for (var end = destination + groupSize; destination < end; destination += TLanes.Count, source += TLanes.Count)
            {
                TLanes.Store(TLanes.LoadBytes(source, scale, bias), destination);
            }
        }
    }
}
