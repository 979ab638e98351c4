using Aspire.Hosting.ApplicationModel;
using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Topology;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>Tells in calm lines how the topology's processes do.</summary>
internal sealed class ProcessLines(ResourceNotificationService notifications, ClusterTopology topology, ConsoleReporter reporter)
{
    private readonly Dictionary<string, string> _told = [];
    private readonly HashSet<string> _started = [];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var names = topology.Processes.Select(process => process.Name).ToHashSet();
        await foreach (var change in notifications.WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            var name = change.Resource.Name;
            if (!names.Contains(name))
            {
                continue;
            }

            // Once for each process, also when the first that is heard of it is that it is healthy.
            if (change.Snapshot.State?.Text == "Running" && Pid(change.Snapshot) is { } pid && _started.Add(pid))
            {
                reporter.Line(Lines.Row(name, "starting", $"pid {pid}"));
            }

            if (Line(name, change.Snapshot) is { } line && _told.GetValueOrDefault(name) != line)
            {
                _told[name] = line;
                reporter.Line(line);
            }
        }
    }

    private static string? Line(string name, CustomResourceSnapshot snapshot) => snapshot.State?.Text switch
    {
        "Running" when snapshot.HealthStatus == HealthStatus.Healthy => Lines.Row(name, "running", Urls(snapshot)),
        "FailedToStart" => Lines.Row(name, "failed", "it could not be started; the dashboard shows why"),
        "Exited" or "Finished" => Lines.Row(name, "stopped", snapshot.ExitCode is { } code ? $"exit code {code}" : ""),
        _ => null,
    };

    private static string? Pid(CustomResourceSnapshot snapshot) =>
        snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value?.ToString();

    private static string Urls(CustomResourceSnapshot snapshot) =>
        string.Join("  ", snapshot.Urls.Where(url => url.Name != ClusterTopology.ProbeEndpoint).Select(url => $"{url.Name} {url.Url}"));
}
