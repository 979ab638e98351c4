using ClusterLlm.NodeAgent.Hardware;

namespace ClusterLlm.NodeAgent.Tests.Hardware;

/// <summary>A machine with 10,000 bytes, 9,000 of them usable and 2,000 in use.</summary>
internal sealed class FakeHardwareReader : IHardwareReader
{
    private int _readings;

    public long UsedBytes { get; set; } = 2_000;

    public int Readings => Volatile.Read(ref _readings);

    public ValueTask<MachineFacts> ReadFactsAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new MachineFacts(
        "TestOS 1", "Box1,1", "Test Chip", 4, 8, 10_000, new MemoryLimit(9_000, "test"), "machine-a", [new("lo", LinkKind.Loopback)]));

    public ValueTask<MachineReading> ReadAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _readings);
        return ValueTask.FromResult(new MachineReading(
            10_000, new MemoryLimit(9_000, "test"), UsedBytes, MemoryPressure.Normal, 0.25, 51.5, ThermalState.Fair));
    }
}
