using System.Diagnostics;
using ClusterLlm.Benchmarks.Gateway;

namespace ClusterLlm.Benchmarks.Mlx;

/// <summary>Processor time that was used so far, in milliseconds, by whom.</summary>
/// <param name="OwnMs">This process: the agents, with their tunnels, and the client.</param>
internal readonly record struct ProcessorTime(double OwnMs, double GatewayMs, double RanksMs)
{
    public static ProcessorTime operator -(ProcessorTime later, ProcessorTime earlier) =>
        new(later.OwnMs - earlier.OwnMs, later.GatewayMs - earlier.GatewayMs, later.RanksMs - earlier.RanksMs);
}

/// <summary>Reads the processor time of everything that takes part in an answer.</summary>
/// <remarks>The system counts other processes in steps of 10 ms, so only sums over many answers mean something.</remarks>
internal sealed class ProcessorMeter(GatewayPart gateway, IEnumerable<int> rankProcesses) : IDisposable
{
    private readonly Process[] _ranks = [.. rankProcesses.Select(Process.GetProcessById)];

    public ProcessorTime Read() =>
        new(Environment.CpuUsage.TotalTime.TotalMilliseconds, gateway.ProcessorTime.TotalMilliseconds, _ranks.Sum(Milliseconds));

    public void Dispose() => Array.ForEach(_ranks, rank => rank.Dispose());

    private static double Milliseconds(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime.TotalMilliseconds;
    }
}
