namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>How the elements of a weight matrix or of its scales lie in the file.</summary>
internal enum WeightFormat
{
    Float32,
    Float16,
    BrainFloat16,

    /// <summary>MLX affine: w = scale × q + bias, eight nibbles in a little-endian uint32, the lowest first.</summary>
    Affine4,

    /// <summary>MLX affine: w = scale × q + bias, four bytes in a little-endian uint32, the lowest first.</summary>
    Affine8,
}

/// <summary>A matrix of out × in weights where it lies in the memory map: nothing is copied, so it lives as long as the map.</summary>
/// <param name="data">The first element (or packed word) of row 0; rows follow one another.</param>
/// <param name="rows">Outputs.</param>
/// <param name="columns">Inputs; a multiple of <see cref="GroupSize"/> for the affine formats.</param>
internal sealed unsafe class WeightMatrix(WeightFormat format, byte* data, int rows, int columns)
{
    public WeightFormat Format { get; } = format;

    public int Rows { get; } = rows;

    public int Columns { get; } = columns;

    public byte* Data { get; } = data;

    /// <summary>Rows × (Columns / GroupSize) scales; null unless affine.</summary>
    public byte* Scales { get; init; }

    /// <summary>Rows × (Columns / GroupSize) biases; null unless affine.</summary>
    public byte* Biases { get; init; }

    /// <summary>Element type of scales and biases.</summary>
    public WeightFormat ScaleFormat { get; init; }

    /// <summary>Weights that share a scale; 0 unless affine.</summary>
    public int GroupSize { get; init; }

    public bool IsAffine => Format is WeightFormat.Affine4 or WeightFormat.Affine8;

    public int Groups => IsAffine ? Columns / GroupSize : 0;

    /// <summary>Bytes from one row's weights to the next one's.</summary>
    public long RowBytes => Format switch
    {
        WeightFormat.Float32 => 4L * Columns,
        WeightFormat.Affine8 => Columns,
        WeightFormat.Affine4 => Columns / 2,
        _ => 2L * Columns,
    };

    /// <summary>All bytes that a multiplication reads: weights, scales and biases.</summary>
    public long Bytes => Rows * (RowBytes + (2L * Groups * (ScaleFormat == WeightFormat.Float32 ? 4 : 2)));

    public byte* Row(int row) => Data + (row * RowBytes);
}
