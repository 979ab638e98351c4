using System.Runtime.Intrinsics;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>
/// The float vector of one register width. Kernels are written once over it; the just-in-time compiler makes a body per width,
/// so the same kernel runs with AVX-512, AVX2 or NEON registers and can be tested at every width.
/// </summary>
/// <typeparam name="TVector">Vector128, Vector256 or Vector512 of float.</typeparam>
internal unsafe interface ILanes<TVector>
    where TVector : struct
{
    /// <summary>Floats in a vector: 4, 8 or 16.</summary>
    static abstract int Count { get; }

    static abstract TVector Zero { get; }

    static abstract TVector Broadcast(float value);

    static abstract TVector Load(float* source);

    static abstract void Store(TVector value, float* destination);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Multiply(TVector left, TVector right);

    /// <summary>left × right + addend, rounded once where the processor can.</summary>
    static abstract TVector MultiplyAdd(TVector left, TVector right, TVector addend);

    static abstract TVector LoadBrainFloats(ushort* source);

    static abstract TVector LoadHalves(ushort* source);

    /// <summary>scale × q + bias of <see cref="Count"/> unsigned bytes.</summary>
    static abstract TVector LoadBytes(byte* source, TVector scale, TVector bias);

    /// <summary>scale × q + bias of the 2 × <see cref="Count"/> nibbles in <see cref="Count"/> bytes: the low ones are the even weights.</summary>
    static abstract void LoadNibbles(byte* source, TVector scale, TVector bias, out TVector even, out TVector odd);

    /// <summary>Splits 2 × <see cref="Count"/> floats into those at even and those at odd places.</summary>
    static abstract void Deinterleave(float* source, out TVector even, out TVector odd);

    static abstract float Sum(TVector value);

    /// <summary>The sums of four vectors at once: a quarter of the shuffles of four <see cref="Sum"/>s.</summary>
    static abstract Vector128<float> SumFour(TVector first, TVector second, TVector third, TVector fourth);
}
