using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.Testing;

namespace ClusterLlm.Integration;

/// <summary>Tests on a cluster whose nodes all have MLX: one after the other, for they measure times and each group wants all cores.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MlxClusterTests : ICollectionFixture<MlxCluster>
{
    public const string Name = "mlx cluster";
}

/// <summary>A cluster of its own whose agents all have MLX, with a small model split over all three nodes.</summary>
public sealed class MlxCluster : IAsyncLifetime
{
    /// <summary>Rank 0 is on node-1, which has the last layers.</summary>
    public const string Model = "tiny-mlx";

    private const string Cause = "mlx is the fastest engine that every candidate node has for this model.";

    private RunningCluster? _cluster;
    private FaultTable? _faults;
    private string _id = "";

    internal RunningCluster Cluster => _cluster!;

    internal FaultTable Faults => _faults ??= new FaultTable("mlx-gateway-faults");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Returns when the deployment is ready. Skips the test where there is no MLX.</summary>
    internal async Task StartAsync(CancellationToken cancellation)
    {
        if (_cluster is not null)
        {
            await WaitUntilReadyAsync(cancellation);
            return;
        }

        var python = MlxPython.Require();
        _cluster = new RunningCluster
        {
            Demo = false,
            ExtraEnvironment = new Dictionary<string, SettingValue>
            {
                ["CLUSTERLLM__Engines__Mlx__Python"] = python,
                // Tests break the same deployment again and again.
                ["CLUSTERLLM__Deployments__MaxAttempts"] = "100",
            },
        };
        await _cluster.InitializeAsync();
        await WaitForMlxAsync(cancellation);
        _id = await DeployAsync(Model, "auto", new() { ["node-3"] = [0, 1], ["node-2"] = [1, 3], ["node-1"] = [3, 7] }, cancellation);
        var plan = (await _cluster.GetAsync($"/api/deployments/{_id}", cancellation)).GetProperty("plan");
        Assert.Equal(("mlx", Cause), (plan.GetProperty("engine").GetString(), plan.GetProperty("engineReason").GetString()));
    }

    /// <summary>Deploys the small model and returns the deployment's id when it is ready.</summary>
    internal Task<string> DeployAsync(string name, string engine, Dictionary<string, int[]> layers, CancellationToken cancellation) =>
        DeployAsync(TestModels.PathOf("llama-f32"), name, engine, layers, cancellation);

    /// <param name="model">Its folder.</param>
    /// <param name="layers">The manual plan: half-open ranges, the first stage first.</param>
    internal async Task<string> DeployAsync(string model, string name, string engine, Dictionary<string, int[]> layers, CancellationToken cancellation)
    {
        var request = new { model, name, engine, layers, contextTokens = 1024, concurrency = 4 };
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        var launched = await Cluster.Http.PostAsJsonAsync("/api/deployments", request, cancellation);
        while (launched.StatusCode == HttpStatusCode.NotFound && await poll.WaitForNextTickAsync(cancellation))
        {
            // The nodes have not told of their models yet.
            launched = await Cluster.Http.PostAsJsonAsync("/api/deployments", request, cancellation);
        }

        var body = await launched.Content.ReadAsStringAsync(cancellation);
        Assert.True(launched.StatusCode == HttpStatusCode.Accepted, body);
        var id = JsonSerializer.Deserialize<JsonElement>(body).GetProperty("id").GetString()!;
        await ClusterEvents.FollowAsync(Cluster.Http, id, "ready", cancellation);
        return id;
    }

    /// <summary>Returns when the deployment is ready again, or at once.</summary>
    internal Task WaitUntilReadyAsync(CancellationToken cancellation) => ClusterEvents.FollowAsync(Cluster.Http, _id, "ready", cancellation);

    /// <summary>What the API says of the deployment now.</summary>
    internal Task<JsonElement> DeploymentAsync(CancellationToken cancellation) => Cluster.GetAsync($"/api/deployments/{_id}", cancellation);

    /// <summary>Follows the deployment until it is in another state than ready, and returns what it then says.</summary>
    internal Task<string> WaitUntilBrokenAsync(CancellationToken cancellation) => ClusterEvents.LeaveAsync(Cluster.Http, _id, "ready", cancellation);

    public async ValueTask DisposeAsync()
    {
        _faults?.Dispose();
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    /// <summary>Agents join at once and tell of MLX when its Python has answered.</summary>
    private async Task WaitForMlxAsync(CancellationToken cancellation)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        while (await poll.WaitForNextTickAsync(cancellation))
        {
            var nodes = (await Cluster.GetAsync("/api/nodes", cancellation)).ToString();
            if (nodes.Split("mlx 0.32.4, mlx-lm 0.32.2").Length == 4)
            {
                return;
            }
        }
    }
}
