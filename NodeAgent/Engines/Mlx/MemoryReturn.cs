using ClusterLlm.NodeAgent.Hardware;

namespace ClusterLlm.NodeAgent.Engines.Mlx;

/// <summary>
/// Checks that memory comes back when a rank has ended: a process that dies while the GPU holds its wired memory can strand it until the next boot, and
/// the next model would not fit for no visible reason.
/// </summary>
internal sealed partial class MemoryReturn(MachineMonitor machine, TimeProvider time, ILogger<MemoryReturn> logger)
{
    /// <summary>Less is lost among what else the machine does.</summary>
    private const long SmallestBytes = 512L << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <param name="freeBefore">Bytes free on the machine while the rank still ran.</param>
    /// <param name="heldBytes">Bytes that it held.</param>
    /// <param name="freeAfter">Bytes free after its end.</param>
    public static bool IsBack(long freeBefore, long heldBytes, long freeAfter) =>
        heldBytes < SmallestBytes || freeAfter - freeBefore >= heldBytes / 2;

    public async ValueTask<long> FreeBytesAsync(CancellationToken cancellationToken) =>
        (await machine.ReadAsync(TimeSpan.Zero, cancellationToken).ConfigureAwait(false)).FreeBytes;

    /// <summary>Returns when the memory is back; says so in the log when it does not come back within some seconds.</summary>
    public async Task VerifyAsync(ShardSpec spec, long freeBefore, long heldBytes, CancellationToken cancellationToken)
    {
        using var tick = new PeriodicTimer(Interval, time);
        var began = time.GetTimestamp();
        while (!IsBack(freeBefore, heldBytes, await FreeBytesAsync(cancellationToken).ConfigureAwait(false)))
        {
            if (time.GetElapsedTime(began) > Patience)
            {
                LogStranded(spec.DeploymentId, spec.Rank, heldBytes);
                return;
            }

            await tick.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Deployment {DeploymentId}: rank {Rank} has ended, but most of its {Bytes} bytes are not free again. If no other program took them, restart this machine before the next launch")]
    private partial void LogStranded(string deploymentId, int rank, long bytes);
}
