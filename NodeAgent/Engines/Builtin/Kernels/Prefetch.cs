using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>Asks for memory before it is read.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Fetches the cache line of an address, which needn't be mapped. .NET has no such instruction for Arm: nothing happens there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(byte* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }
}
