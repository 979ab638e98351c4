using System.Collections.Immutable;

namespace ClusterLlm.ModelFiles;

/// <summary>Where a tensor lies and what it holds, as its file's header says.</summary>
/// <param name="Shape">Row-major; empty for a scalar.</param>
/// <param name="FilePath">The safetensors file.</param>
/// <param name="FileOffset">First byte, from the start of the file. Not aligned: headers have any length, so even a float32 tensor may start at an odd offset.</param>
public sealed record TensorInfo(
    string Name,
    TensorType Type,
    ImmutableArray<long> Shape,
    string FilePath,
    long FileOffset,
    long ByteCount)
{
    /// <summary>The product of the shape's dimensions.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, dimension) => product * dimension);

    /// <summary>The shape as people write it: <c>[512, 96]</c>.</summary>
    public string ShapeText => FormatShape(Shape);

    internal static string FormatShape(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
