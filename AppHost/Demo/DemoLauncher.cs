using System.Text.Json;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Output;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Demo;

/// <summary>Brings the demo deployment up and tells how it goes.</summary>
internal sealed class DemoLauncher(ClusterClient cluster, ConsoleReporter reporter, TimeProvider time)
{
    private static readonly TimeSpan NodeInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan NodeLimit = TimeSpan.FromSeconds(30);

    /// <summary>Returns what became of it: ready, or ended with a reason.</summary>
    public async Task<DeploymentView> RunAsync(DemoDeployment demo, CancellationToken cancellationToken)
    {
        try
        {
            await WaitForNodesAsync(demo, cancellationToken).ConfigureAwait(false);
            var deployment = await LaunchAsync(demo, cancellationToken).ConfigureAwait(false);
            return await FollowAsync(deployment, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ClusterRefusedException or HttpRequestException or IOException or JsonException or KeyNotFoundException)
        {
            var failed = new DeploymentView { Name = demo.Name, Model = demo.ModelFolder, State = "failed", Reason = failure.Message };
            reporter.Line(Lines.Deployment(failed));
            return failed;
        }
    }

    /// <summary>Healthy agents have joined and described themselves a moment later; a plan made before that could not use them.</summary>
    private async Task WaitForNodesAsync(DemoDeployment demo, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var usable = (await cluster.NodesAsync(cancellationToken).ConfigureAwait(false)).Where(node => node.IsReady).Select(node => node.Id).ToHashSet();
            var absent = demo.Nodes.Where(node => !usable.Contains(node)).ToList();
            if (absent.Count == 0)
            {
                return;
            }

            if (time.GetElapsedTime(began) > NodeLimit)
            {
                throw new ClusterRefusedException($"{string.Join(", ", absent)} did not join the cluster and get ready within {NodeLimit.TotalSeconds:0} s.");
            }

            await Task.Delay(NodeInterval, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>An earlier run's deployment is taken up again: it may have been changed by its owner.</summary>
    private async Task<DeploymentView> LaunchAsync(DemoDeployment demo, CancellationToken cancellationToken)
    {
        var earlier = (await cluster.DeploymentsAsync(cancellationToken).ConfigureAwait(false))
            .FirstOrDefault(deployment => deployment.Name == demo.Name);
        if (earlier is null)
        {
            return await cluster.LaunchAsync(
                new { model = demo.ModelFolder, name = demo.Name, nodes = demo.Nodes },
                cancellationToken).ConfigureAwait(false);
        }

        return earlier.HasEnded || RunsOnFewer(earlier, demo)
            ? await cluster.RestartAsync(earlier.Id, cancellationToken).ConfigureAwait(false)
            : earlier;
    }

    /// <summary>
    /// It is as it was launched here, but was planned anew while some of its nodes were away, as after a slow start: on all of them it shows more.
    /// </summary>
    private static bool RunsOnFewer(DeploymentView earlier, DemoDeployment demo) =>
        earlier.Nodes.ToHashSet().SetEquals(demo.Nodes)
        && earlier.Plan is { } plan && !plan.Stages.Select(stage => stage.Node).ToHashSet().SetEquals(demo.Nodes);

    private async Task<DeploymentView> FollowAsync(DeploymentView deployment, CancellationToken cancellationToken)
    {
        var placementTold = false;
        await foreach (var now in cluster.WatchAsync(deployment.Id, cancellationToken).ConfigureAwait(false))
        {
            if (!placementTold && now.Plan is not null)
            {
                placementTold = true;
                reporter.Line(Lines.Deployment(now with { State = "planned" }));
                foreach (var stage in Lines.Placement(now))
                {
                    reporter.Line(stage);
                }
            }

            if (now.IsReady || now.HasEnded)
            {
                reporter.Line(Lines.Deployment(now));
                return now;
            }

            reporter.Progress(Lines.LoadingStep(now), Lines.Loading(now));
        }

        throw new ClusterRefusedException($"The events of deployment {deployment.Id} ended before it was ready.");
    }
}
