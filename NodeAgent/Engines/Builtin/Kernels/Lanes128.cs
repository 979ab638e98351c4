using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>4 floats: SSE or NEON.</summary>
internal readonly unsafe struct Lanes128 : ILanes<Vector128<float>>
{
    public static int Count => 4;

    public static Vector128<float> Zero => Vector128<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Multiply(Vector128<float> left, Vector128<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> left, Vector128<float> right, Vector128<float> addend) =>
        Vector128.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadBrainFloats(ushort* source) => (WidenWords(source) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadHalves(ushort* source)
    {
        // The exponent moves from bias 15 to bias 127 by an exact multiplication, which also makes subnormal halves right.
        var bits = WidenWords(source);
        var magnitude = (bits & Vector128.Create(0x7FFFu)) << 13;
        var rebiased = (magnitude.AsSingle() * Vector128.Create(5.192296858534828e33f)).AsUInt32();
        var special = Vector128.GreaterThanOrEqual(magnitude, Vector128.Create(0x7C00u << 13)) & Vector128.Create(0x7F800000u);
        return (rebiased | special | ((bits & Vector128.Create(0x8000u)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadBytes(byte* source, Vector128<float> scale, Vector128<float> bias) =>
        MultiplyAdd(Vector128.ConvertToSingle(WidenBytes(source)), scale, bias);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadNibbles(
        byte* source, Vector128<float> scale, Vector128<float> bias, out Vector128<float> even, out Vector128<float> odd)
    {
        var packed = WidenBytes(source);
        even = MultiplyAdd(Vector128.ConvertToSingle(packed & Vector128.Create(15)), scale, bias);
        odd = MultiplyAdd(Vector128.ConvertToSingle(packed >> 4), scale, bias);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Deinterleave(float* source, out Vector128<float> even, out Vector128<float> odd)
    {
        var first = Vector128.Load((ulong*)source);
        var second = Vector128.Load((ulong*)(source + Count));
        even = Vector128.Narrow(first, second).AsSingle();
        odd = Vector128.Narrow(first >> 32, second >> 32).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector128<float> value) => Vector128.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SumFour(Vector128<float> first, Vector128<float> second, Vector128<float> third, Vector128<float> fourth) =>
        FourSums.Of(first, second, third, fourth);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> WidenBytes(byte* source) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)source).AsByte())).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> WidenWords(ushort* source) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16());
}
