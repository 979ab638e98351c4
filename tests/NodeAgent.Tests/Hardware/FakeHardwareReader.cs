using ClusterLlm.NodeAgent.Hardware;

namespace ClusterLlm.NodeAgent.Tests.Hardware;

/// <summary>A machine with 10,000 bytes, 9,000 of them usable and 2,000 in use, unless a test needs more.</summary>
internal sealed class FakeHardwareReader : IHardwareReader
{
    private int _readings;

    public long TotalBytes { get; set; } = 10_000;

    public long UsableBytes => TotalBytes / 10 * 9;

    public long UsedBytes { get; set; } = 2_000;

    public int Readings => Volatile.Read(ref _readings);

    public ValueTask<MachineFacts> ReadFactsAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new MachineFacts(
        "TestOS 1", "Box1,1", "Test Chip", 4, 8, TotalBytes, new MemoryLimit(UsableBytes, "test"), "machine-a", [new("lo", LinkKind.Loopback)]));

    public ValueTask<MachineReading> ReadAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _readings);
        return ValueTask.FromResult(new MachineReading(
            TotalBytes, new MemoryLimit(UsableBytes, "test"), UsedBytes, MemoryPressure.Normal, 0.25, 51.5, ThermalState.Fair));
    }
}
