using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>8 floats: AVX2.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Vector256<float>>
{
    public static int Count => 8;

    public static Vector256<float> Zero => Vector256<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> left, Vector256<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> left, Vector256<float> right, Vector256<float> addend) =>
        Vector256.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadBrainFloats(ushort* source) => (WidenWords(source) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadHalves(ushort* source)
    {
        // The exponent moves from bias 15 to bias 127 by an exact multiplication, which also makes subnormal halves right.
        var bits = WidenWords(source);
        var magnitude = (bits & Vector256.Create(0x7FFFu)) << 13;
        var rebiased = (magnitude.AsSingle() * Vector256.Create(5.192296858534828e33f)).AsUInt32();
        var special = Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(0x7C00u << 13)) & Vector256.Create(0x7F800000u);
        return (rebiased | special | ((bits & Vector256.Create(0x8000u)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadBytes(byte* source, Vector256<float> scale, Vector256<float> bias) =>
        MultiplyAdd(Vector256.ConvertToSingle(WidenBytes(source)), scale, bias);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadNibbles(
        byte* source, Vector256<float> scale, Vector256<float> bias, out Vector256<float> even, out Vector256<float> odd)
    {
        var packed = WidenBytes(source);
        even = MultiplyAdd(Vector256.ConvertToSingle(packed & Vector256.Create(15)), scale, bias);
        odd = MultiplyAdd(Vector256.ConvertToSingle(packed >> 4), scale, bias);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Deinterleave(float* source, out Vector256<float> even, out Vector256<float> odd)
    {
        var first = Vector256.Load((ulong*)source);
        var second = Vector256.Load((ulong*)(source + Count));
        even = Vector256.Narrow(first, second).AsSingle();
        odd = Vector256.Narrow(first >> 32, second >> 32).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> value) => Vector256.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SumFour(Vector256<float> first, Vector256<float> second, Vector256<float> third, Vector256<float> fourth) =>
        FourSums.Of(Fold(first), Fold(second), Fold(third), Fold(fourth));

    /// <summary>Adds the upper half to the lower one until four floats are left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Fold(Vector256<float> value) => value.GetLower() + value.GetUpper();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> WidenBytes(byte* source)
    {
        if (Avx2.IsSupported)
        {
            return Avx2.ConvertToVector256Int32(source);
        }

        var words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsByte());
        return Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> WidenWords(ushort* source)
    {
        var words = Vector128.Load(source);
        return Avx2.IsSupported
            ? Avx2.ConvertToVector256Int32(words).AsUInt32()
            : Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words));
    }
}
