using ClusterLlm.NodeAgent.Settings;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>Takes readings of the machine; however many ask, it is read once per moment.</summary>
internal sealed class MachineMonitor(IHardwareReader hardware, IOptions<NodeOptions> options, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private MachineSample? _last;

    /// <summary>The newest reading, for callers that must not wait; <see langword="null"/> before the first one.</summary>
    public MachineSample? Last => Volatile.Read(ref _last);

    /// <summary>The last reading when it is younger than <paramref name="maximumAge"/>, else a new one.</summary>
    public async ValueTask<MachineSample> ReadAsync(TimeSpan maximumAge, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_last is { } last && time.GetUtcNow() - last.TakenAt < maximumAge)
            {
                return last;
            }

            var machine = await hardware.ReadAsync(cancellationToken).ConfigureAwait(false);
            var sample = new MachineSample(time.GetUtcNow(), machine, Share(machine.MemoryUsable));
            Volatile.Write(ref _last, sample);
            return sample;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>This agent's part of what the machine allows.</summary>
    public MemoryLimit Share(MemoryLimit machine) =>
        MemoryShare.Apply(machine, options.Value.MemoryShare, options.Value.MemoryLimitBytes);

    public void Dispose() => _gate.Dispose();
}

/// <param name="Usable">What this agent may count as its own.</param>
internal sealed record MachineSample(DateTimeOffset TakenAt, MachineReading Machine, MemoryLimit Usable)
{
    /// <summary>Not in use on the machine.</summary>
    public long FreeBytes => Math.Max(0, Machine.MemoryTotalBytes - (Machine.MemoryUsedBytes ?? 0));
}
