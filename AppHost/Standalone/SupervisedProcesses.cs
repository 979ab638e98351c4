using System.Collections.Immutable;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>The running supervisors: single ones can be stopped and started again; all are ended in the opposite order of their dependencies.</summary>
internal sealed class SupervisedProcesses : IDisposable
{
    private readonly ImmutableArray<Entry> _all;
    private readonly SemaphoreSlim _one = new(1, 1);
    private bool _ended;

    private SupervisedProcesses(ImmutableArray<Entry> all) => _all = all;

    public static SupervisedProcesses Start(IEnumerable<ProcessSupervisor> supervisors, ClusterTopology topology)
    {
        var all = new SupervisedProcesses([.. supervisors.Zip(topology.Processes, (supervisor, resource) => new Entry(resource, supervisor))]);
        foreach (var entry in all._all)
        {
            entry.Start();
        }

        return all;
    }

    /// <summary>Ends one process and leaves it stopped. Completes once it has ended.</summary>
    public Task StopAsync(string name, CancellationToken cancellationToken) => ChangeAsync(name, stop: true, start: false, cancellationToken);

    /// <summary>Starts one that is stopped or failed.</summary>
    public Task StartAsync(string name, CancellationToken cancellationToken) => ChangeAsync(name, stop: false, start: true, cancellationToken);

    public Task RestartAsync(string name, CancellationToken cancellationToken) => ChangeAsync(name, stop: true, start: true, cancellationToken);

    /// <summary>Ends what nothing else waits for, then what that waited for, and so on.</summary>
    public async Task StopAsync()
    {
        await _one.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _ended = true;
        _one.Release();
        var left = _all.ToList();
        while (left.Count > 0)
        {
            var needed = left.SelectMany(entry => entry.Resource.WaitFor).ToHashSet();
            var free = left.Where(entry => !needed.Contains(entry.Resource.Name)).ToList();
            await Task.WhenAll(free.Select(entry => entry.StopAsync())).ConfigureAwait(false);
            left.RemoveAll(free.Contains);
        }
    }

    public void Dispose()
    {
        foreach (var entry in _all)
        {
            entry.Dispose();
        }

        _one.Dispose();
    }

    private async Task ChangeAsync(string name, bool stop, bool start, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var entry = _all.First(each => each.Resource.Name == name);
            if (stop)
            {
                await entry.StopAsync().ConfigureAwait(false);
            }

            if (start && !_ended)
            {
                entry.Start();
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>One supervisor and its current run.</summary>
    private sealed class Entry(ProcessResource resource, ProcessSupervisor supervisor) : IDisposable
    {
        private Task _run = Task.CompletedTask;
        private CancellationTokenSource? _stop;

        public ProcessResource Resource => resource;

        public void Dispose() => _stop?.Dispose();

        public void Start()
        {
            if (_run.IsCompleted)
            {
                _stop?.Dispose();
                _stop = new();
                _run = supervisor.RunAsync(_stop.Token);
            }
        }

        public async Task StopAsync()
        {
            if (_stop is not null)
            {
                await _stop.CancelAsync().ConfigureAwait(false);
                await _run.ConfigureAwait(false);
            }
        }
    }
}
