using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>
/// Lets one Coordinator at most work in a home folder: two would take each other's tokens, keys and deployments for their own. Commands beside it are no
/// Coordinators.
/// </summary>
internal sealed class HomeClaim(ClusterHome home) : IHostedLifecycleService, IDisposable
{
    private HomeLock? _lock;

    /// <exception cref="SettingsException">Another one works there.</exception>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        home.Create();
        _lock = HomeLock.TryTake(home.Path, HomeLock.Coordinator)
            ?? throw new SettingsException($"A Coordinator works in {home.Path} already. End it, or set CLUSTERLLM_HOME to another folder for this one.");
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _lock?.Dispose();
}
