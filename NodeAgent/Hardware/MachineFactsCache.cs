namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>Keeps the machine's facts for a while: on macOS reading them starts a dozen programs.</summary>
internal sealed class MachineFactsCache(IHardwareReader reader, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan MaximumAge = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private MachineFacts? _facts;
    private DateTimeOffset _readAt;

    public async ValueTask<MachineFacts> GetAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_facts is null || time.GetUtcNow() - _readAt > MaximumAge)
            {
                _facts = await reader.ReadFactsAsync(cancellationToken).ConfigureAwait(false);
                _readAt = time.GetUtcNow();
            }

            return _facts;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();
}
