using System.Diagnostics.CodeAnalysis;

namespace ClusterLlm.ModelFiles;

/// <summary>The element types that safetensors defines.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "The element types are what the names say.")]
public enum TensorType
{
    Bool,
    UInt8,
    Int8,
    UInt16,
    Int16,
    UInt32,
    Int32,
    UInt64,
    Int64,
    Float16,
    BFloat16,
    Float32,
    Float64,
    Complex64,
    Float4,
    Float6E2M3,
    Float6E3M2,
    Float8E4M3,
    Float8E5M2,
    Float8E8M0,
    Float8E4M3Fnuz,
    Float8E5M2Fnuz,
}

/// <summary>Names and sizes of <see cref="TensorType"/>.</summary>
/// <remarks>Source: the safetensors format description and the dtype list of its reference implementation.</remarks>
public static class TensorTypes
{
    private static readonly Dictionary<string, TensorType> ByName = new(StringComparer.Ordinal)
    {
        ["BOOL"] = TensorType.Bool,
        ["U8"] = TensorType.UInt8,
        ["I8"] = TensorType.Int8,
        ["U16"] = TensorType.UInt16,
        ["I16"] = TensorType.Int16,
        ["U32"] = TensorType.UInt32,
        ["I32"] = TensorType.Int32,
        ["U64"] = TensorType.UInt64,
        ["I64"] = TensorType.Int64,
        ["F16"] = TensorType.Float16,
        ["BF16"] = TensorType.BFloat16,
        ["F32"] = TensorType.Float32,
        ["F64"] = TensorType.Float64,
        ["C64"] = TensorType.Complex64,
        ["F4"] = TensorType.Float4,
        ["F6_E2M3"] = TensorType.Float6E2M3,
        ["F6_E3M2"] = TensorType.Float6E3M2,
        ["F8_E4M3"] = TensorType.Float8E4M3,
        ["F8_E5M2"] = TensorType.Float8E5M2,
        ["F8_E8M0"] = TensorType.Float8E8M0,
        ["F8_E4M3FNUZ"] = TensorType.Float8E4M3Fnuz,
        ["F8_E5M2FNUZ"] = TensorType.Float8E5M2Fnuz,
    };

    /// <summary>The names that a header may use, for messages.</summary>
    internal static string KnownNames => string.Join(", ", ByName.Keys);

    /// <summary>Bits of one element, packed.</summary>
    public static int BitsPerElement(this TensorType type) => type switch
    {
        TensorType.Float4 => 4,
        TensorType.Float6E2M3 or TensorType.Float6E3M2 => 6,
        TensorType.UInt16 or TensorType.Int16 or TensorType.Float16 or TensorType.BFloat16 => 16,
        TensorType.UInt32 or TensorType.Int32 or TensorType.Float32 => 32,
        TensorType.UInt64 or TensorType.Int64 or TensorType.Float64 or TensorType.Complex64 => 64,
        _ => 8,
    };

    /// <summary>The header's name of the type, in lower case as people write it: <c>bf16</c>, <c>u32</c>.</summary>
    public static string ShortName(this TensorType type)
    {
        foreach ((var name, TensorType value) in ByName)
        {
            if (value == type)
            {
                return name.ToLowerInvariant();
            }
        }

        throw new ArgumentOutOfRangeException(nameof(type), type, "is no tensor type");
    }

    internal static bool TryParse(string name, out TensorType type) => ByName.TryGetValue(name, out type);
}
