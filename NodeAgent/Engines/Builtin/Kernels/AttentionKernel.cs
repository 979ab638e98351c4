using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Kernels;

/// <summary>Where the keys and values of one head lie: blocks of positions, in each block position after position.</summary>
/// <param name="Blocks">One pointer per block of <paramref name="BlockTokens"/> positions.</param>
/// <param name="KeyOffset">Floats from a block's start to the head's first key.</param>
/// <param name="ValueOffset">Floats from a block's start to the head's first value.</param>
internal readonly unsafe record struct HeadCache(nint[] Blocks, int BlockTokens, long KeyOffset, long ValueOffset);

/// <summary>Attention of one query over the positions before it and its own, block by block with a running maximum.</summary>
/// <remarks>The blocks lie at fixed positions of the sequence, so the result does not depend on how the prompt was cut or batched.</remarks>
internal static unsafe class AttentionKernel<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>output = Σ softmax(query · keys · scale) · values over the positions 0 to <paramref name="length"/> − 1.</summary>
    /// <param name="scores">Room for <see cref="HeadCache.BlockTokens"/> floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Attend(float* query, in HeadCache cache, int length, int headDim, float scale, float* output, float* scores)
    {
        var maximum = float.NegativeInfinity;
        var sum = 0f;
        new Span<float>(output, headDim).Clear();
        for (var start = 0; start < length; start += cache.BlockTokens)
        {
            var count = Math.Min(cache.BlockTokens, length - start);
            var block = (float*)cache.Blocks[start / cache.BlockTokens];
            Score(query, block + cache.KeyOffset, count, headDim, scale, scores);
            var span = new Span<float>(scores, count);
            var newMaximum = MathF.Max(maximum, TensorPrimitives.Max<float>(span));
            if (newMaximum > maximum)
            {
                var factor = MathF.Exp(maximum - newMaximum);
                sum *= factor;
                TensorPrimitives.Multiply(new ReadOnlySpan<float>(output, headDim), factor, new Span<float>(output, headDim));
                maximum = newMaximum;
            }

            TensorPrimitives.Subtract(span, maximum, span);
            TensorPrimitives.Exp<float>(span, span);
            sum += TensorPrimitives.Sum<float>(span);
            Accumulate(scores, block + cache.ValueOffset, count, headDim, output);
        }

        TensorPrimitives.Multiply(new ReadOnlySpan<float>(output, headDim), 1f / sum, new Span<float>(output, headDim));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Score(float* query, float* keys, int count, int headDim, float scale, float* scores)
    {
        var whole = headDim / TLanes.Count * TLanes.Count;
        for (var position = 0; position < count; position++, keys += headDim)
        {
            var sum = TLanes.Zero;
            for (var index = 0; index < whole; index += TLanes.Count)
            {
                sum = TLanes.MultiplyAdd(TLanes.Load(query + index), TLanes.Load(keys + index), sum);
            }

            var score = TLanes.Sum(sum);
            for (var index = whole; index < headDim; index++)
            {
                score += query[index] * keys[index];
            }

            scores[position] = score * scale;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Accumulate(float* scores, float* values, int count, int headDim, float* output)
    {
        var index = 0;
        for (; index <= headDim - (4 * TLanes.Count); index += 4 * TLanes.Count)
        {
            AccumulateFour(scores, values + index, count, headDim, output + index);
        }

        for (; index <= headDim - TLanes.Count; index += TLanes.Count)
        {
            var sum = TLanes.Load(output + index);
            var value = values + index;
            for (var position = 0; position < count; position++, value += headDim)
            {
                sum = TLanes.MultiplyAdd(TLanes.Load(value), TLanes.Broadcast(scores[position]), sum);
            }

            TLanes.Store(sum, output + index);
        }

        for (; index < headDim; index++)
        {
            var sum = output[index];
            for (var position = 0; position < count; position++)
            {
                sum += scores[position] * values[((long)position * headDim) + index];
            }

            output[index] = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AccumulateFour(float* scores, float* values, int count, int headDim, float* output)
    {
        var n = TLanes.Count;
        TVector a = TLanes.Load(output), b = TLanes.Load(output + n), c = TLanes.Load(output + (2 * n)), d = TLanes.Load(output + (3 * n));
        for (var position = 0; position < count; position++, values += headDim)
        {
            var weight = TLanes.Broadcast(scores[position]);
            a = TLanes.MultiplyAdd(TLanes.Load(values), weight, a);
            b = TLanes.MultiplyAdd(TLanes.Load(values + n), weight, b);
            c = TLanes.MultiplyAdd(TLanes.Load(values + (2 * n)), weight, c);
            d = TLanes.MultiplyAdd(TLanes.Load(values + (3 * n)), weight, d);
        }

        TLanes.Store(a, output);
        TLanes.Store(b, output + n);
        TLanes.Store(c, output + (2 * n));
        TLanes.Store(d, output + (3 * n));
    }
}
