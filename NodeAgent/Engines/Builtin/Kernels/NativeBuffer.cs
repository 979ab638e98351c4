using System.Runtime.InteropServices;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>Floats outside the collected heap, zeroed and aligned to a cache line.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const nuint Alignment = 64;
    private float* _pointer;

    /// <param name="count">Floats; ≥ 0.</param>
    public NativeBuffer(long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Count = count;
        var bytes = (nuint)Math.Max(1, count) * sizeof(float);
        _pointer = (float*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(_pointer, bytes);
    }

    ~NativeBuffer() => Free();

    public long Count { get; }

    public float* Pointer => _pointer is null ? throw new ObjectDisposedException(nameof(NativeBuffer)) : _pointer;

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }
}
