using System.Collections.Immutable;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>The running supervisors, ended in the opposite order of their dependencies.</summary>
internal sealed class SupervisedProcesses
{
    private readonly ImmutableArray<(ProcessResource Resource, Task Run, CancellationTokenSource Stop)> _all;

    private SupervisedProcesses(ImmutableArray<(ProcessResource, Task, CancellationTokenSource)> all) => _all = all;

    public static SupervisedProcesses Start(IEnumerable<ProcessSupervisor> supervisors, ClusterTopology topology) =>
        new([.. supervisors.Zip(topology.Processes, (supervisor, resource) =>
        {
            var stop = new CancellationTokenSource();
            return (resource, supervisor.RunAsync(stop.Token), stop);
        })]);

    /// <summary>Ends what nothing else waits for, then what that waited for, and so on.</summary>
    public async Task StopAsync()
    {
        var left = _all.ToList();
        while (left.Count > 0)
        {
            var needed = left.SelectMany(entry => entry.Resource.WaitFor).ToHashSet();
            var free = left.Where(entry => !needed.Contains(entry.Resource.Name)).ToList();
            foreach (var (_, _, stop) in free)
            {
                await stop.CancelAsync().ConfigureAwait(false);
            }

            foreach (var (_, run, stop) in free)
            {
                await run.ConfigureAwait(false);
                stop.Dispose();
            }

            left.RemoveAll(free.Contains);
        }
    }
}
