using System.Runtime.CompilerServices;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hardware.Power;
using ClusterLlm.NodeAgent.Shards;

namespace ClusterLlm.NodeAgent.Telemetry;

/// <summary>Readings of the node at an interval; watchers of the same moment share one reading of the machine.</summary>
internal sealed class TelemetrySampler(MachineMonitor machine, PowerMeter power, ShardHost shards, TimeProvider time)
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>The interval that is kept for the one that was asked for: 0 is the default, below 100 ms is raised to it.</summary>
    public static TimeSpan Interval(uint askedMilliseconds) =>
        askedMilliseconds == 0 ? DefaultInterval : TimeSpan.FromMilliseconds(Math.Max(askedMilliseconds, ShortestInterval.TotalMilliseconds));

    /// <summary>A reading now, then one per <paramref name="interval"/> until cancelled.</summary>
    public async IAsyncEnumerable<NodeReading> WatchAsync(TimeSpan interval, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        do
        {
            yield return await ReadAsync(interval / 2, cancellationToken).ConfigureAwait(false);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
    }

    public async ValueTask<NodeReading> ReadAsync(TimeSpan maximumAge, CancellationToken cancellationToken) =>
        new(await machine.ReadAsync(maximumAge, cancellationToken).ConfigureAwait(false), power.Watts, Environment.WorkingSet, shards.Sample());
}
