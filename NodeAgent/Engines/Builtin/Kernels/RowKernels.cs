using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>What happens to single rows of activations between the matrix products.</summary>
internal static unsafe class RowKernels<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>RMS norm: y = x / sqrt(mean(x²) + epsilon) · weight. <paramref name="y"/> may be <paramref name="x"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RmsNorm(float* x, float* weight, float* y, int count, float epsilon)
    {
        var sum = TLanes.Zero;
        var index = 0;
        for (; index <= count - TLanes.Count; index += TLanes.Count)
        {
            var value = TLanes.Load(x + index);
            sum = TLanes.MultiplyAdd(value, value, sum);
        }

        var squares = TLanes.Sum(sum);
        for (; index < count; index++)
        {
            squares += x[index] * x[index];
        }

        Scale(x, weight, y, count, 1f / MathF.Sqrt((squares / count) + epsilon));
    }

    /// <summary>Rotates a head by its position: pairs are (i, i + half), as Hugging Face's checkpoints have them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rotate(float* head, float* cosines, float* sines, int half)
    {
        for (var index = 0; index < half; index++)
        {
            var first = head[index];
            var second = head[index + half];
            head[index] = (first * cosines[index]) - (second * sines[index]);
            head[index + half] = (second * cosines[index]) + (first * sines[index]);
        }
    }

    /// <summary>gate = silu(gate) · up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SiluMultiply(float* gate, float* up, float* scratch, int count)
    {
        var sigmoid = new Span<float>(scratch, count);
        TensorPrimitives.Sigmoid(new ReadOnlySpan<float>(gate, count), sigmoid);
        var index = 0;
        for (; index <= count - TLanes.Count; index += TLanes.Count)
        {
            var silu = TLanes.Multiply(TLanes.Load(gate + index), TLanes.Load(scratch + index));
            TLanes.Store(TLanes.Multiply(silu, TLanes.Load(up + index)), gate + index);
        }

        for (; index < count; index++)
        {
            gate[index] = gate[index] * scratch[index] * up[index];
        }
    }

    /// <summary>x += y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* x, float* y, int count)
    {
        var index = 0;
        for (; index <= count - TLanes.Count; index += TLanes.Count)
        {
            TLanes.Store(TLanes.Add(TLanes.Load(x + index), TLanes.Load(y + index)), x + index);
        }

        for (; index < count; index++)
        {
            x[index] += y[index];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(float* x, float* weight, float* y, int count, float factor)
    {
        var vector = TLanes.Broadcast(factor);
        var index = 0;
        for (; index <= count - TLanes.Count; index += TLanes.Count)
        {
            TLanes.Store(TLanes.Multiply(TLanes.Multiply(TLanes.Load(x + index), vector), TLanes.Load(weight + index)), y + index);
        }

        for (; index < count; index++)
        {
            y[index] = x[index] * factor * weight[index];
        }
    }
}
