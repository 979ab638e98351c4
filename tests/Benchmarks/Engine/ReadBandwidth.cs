using System.Diagnostics;
using System.Runtime.Intrinsics;
using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;
using ClusterLlm.NodeAgent.Engines.Builtin.Threading;

namespace ClusterLlm.Benchmarks.Engine;

/// <summary>How fast the engine's own threads can read memory: the upper limit of decoding, which reads every weight for every token.</summary>
internal sealed unsafe class ReadBandwidth : IParallelWork, IDisposable
{
    private const int Pieces = 256;
    private const int PieceFloats = 1 << 19;
    private const int Rounds = 6;

    private readonly NativeBuffer _memory = new((long)Pieces * PieceFloats);
    private float _sum;

    /// <summary>Reads half a gigabyte several times.</summary>
    /// <returns>Bytes per second of the fastest round.</returns>
    public static double Measure(ComputePool pool)
    {
        using var probe = new ReadBandwidth();
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            pool.RunPass((Pool: pool, Probe: probe), static state => state.Pool.Run(state.Probe, Pieces, 1));
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return probe._memory.Count * sizeof(float) / best;
    }

    public void Dispose() => _memory.Dispose();

    public void Execute(int first, int end, int worker)
    {
        for (var piece = first; piece < end; piece++)
        {
            // Four sums, so that loads wait for no addition.
            Vector512<float> a = default, b = default, c = default, d = default;
            var start = _memory.Pointer + ((long)piece * PieceFloats);
            for (var index = 0; index < PieceFloats; index += 64)
            {
                a += Vector512.Load(start + index);
                b += Vector512.Load(start + index + 16);
                c += Vector512.Load(start + index + 32);
                d += Vector512.Load(start + index + 48);
            }

            // Written somewhere, so that the loop can't be dropped; a lost update does not matter.
            _sum += Vector512.Sum(a + b + c + d);
        }
    }
}
