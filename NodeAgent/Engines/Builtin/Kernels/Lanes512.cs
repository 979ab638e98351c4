using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>16 floats: AVX-512.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Vector512<float>>
{
    public static int Count => 16;

    public static Vector512<float> Zero => Vector512<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> left, Vector512<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> left, Vector512<float> right, Vector512<float> addend) =>
        Vector512.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBrainFloats(ushort* source) => (WidenWords(source) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadHalves(ushort* source)
    {
        // The exponent moves from bias 15 to bias 127 by an exact multiplication, which also makes subnormal halves right.
        var bits = WidenWords(source);
        var magnitude = (bits & Vector512.Create(0x7FFFu)) << 13;
        var rebiased = (magnitude.AsSingle() * Vector512.Create(5.192296858534828e33f)).AsUInt32();
        var special = Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(0x7C00u << 13)) & Vector512.Create(0x7F800000u);
        return (rebiased | special | ((bits & Vector512.Create(0x8000u)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBytes(byte* source, Vector512<float> scale, Vector512<float> bias) =>
        MultiplyAdd(Vector512.ConvertToSingle(WidenBytes(source)), scale, bias);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadNibbles(
        byte* source, Vector512<float> scale, Vector512<float> bias, out Vector512<float> even, out Vector512<float> odd)
    {
        var packed = WidenBytes(source);
        if (Avx512F.IsSupported)
        {
            // A register holds the 16 values that a nibble can stand for: looking them up saves the conversions. The permutation
            // reads only the low four bits of an index.
            var values = MultiplyAdd(Vector512.Create(0f, 1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f, 9f, 10f, 11f, 12f, 13f, 14f, 15f), scale, bias);
            even = Avx512F.PermuteVar16x32(values, packed);
            odd = Avx512F.PermuteVar16x32(values, packed >> 4);
            return;
        }

        even = MultiplyAdd(Vector512.ConvertToSingle(packed & Vector512.Create(15)), scale, bias);
        odd = MultiplyAdd(Vector512.ConvertToSingle(packed >> 4), scale, bias);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Deinterleave(float* source, out Vector512<float> even, out Vector512<float> odd)
    {
        var first = Vector512.Load((ulong*)source);
        var second = Vector512.Load((ulong*)(source + Count));
        even = Vector512.Narrow(first, second).AsSingle();
        odd = Vector512.Narrow(first >> 32, second >> 32).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> value) => Vector512.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SumFour(Vector512<float> first, Vector512<float> second, Vector512<float> third, Vector512<float> fourth) =>
        FourSums.Of(Fold(first), Fold(second), Fold(third), Fold(fourth));

    /// <summary>Adds the upper half to the lower one until four floats are left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Fold(Vector512<float> value) => Lanes256.Fold(value.GetLower() + value.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> WidenBytes(byte* source)
    {
        var bytes = Vector128.Load(source);
        if (Avx512F.IsSupported)
        {
            return Avx512F.ConvertToVector512Int32(bytes);
        }

        var words = Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes));
        return Vector512.Create(Vector256.WidenLower(words), Vector256.WidenUpper(words)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> WidenWords(ushort* source)
    {
        var words = Vector256.Load(source);
        return Avx512F.IsSupported
            ? Avx512F.ConvertToVector512UInt32(words)
            : Vector512.Create(Vector256.WidenLower(words), Vector256.WidenUpper(words));
    }
}
