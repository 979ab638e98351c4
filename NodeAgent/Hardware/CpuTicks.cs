namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>Time that all cores together spent, in any unit, since the machine started.</summary>
internal readonly record struct CpuTicks(long Busy, long Idle)
{
    /// <summary>Load between two readings, 0 to 1; <see langword="null"/> when no time has passed or the counters went back.</summary>
    public static double? Load(CpuTicks before, CpuTicks now)
    {
        var busy = now.Busy - before.Busy;
        var idle = now.Idle - before.Idle;
        return busy < 0 || idle < 0 || busy + idle == 0 ? null : (double)busy / (busy + idle);
    }
}
