namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>Reads this machine. A fact that can't be read is missing from the answer; only a missing memory size is an error.</summary>
internal interface IHardwareReader
{
    ValueTask<MachineFacts> ReadFactsAsync(CancellationToken cancellationToken);

    /// <summary>A reading of now; not to be called by two callers at once, since the CPU load is counted from the call before.</summary>
    ValueTask<MachineReading> ReadAsync(CancellationToken cancellationToken);
}
