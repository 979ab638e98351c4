using System.Diagnostics.Metrics;
using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Coordinator.Tests.Inference.Fakes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;

namespace ClusterLlm.Coordinator.Tests.Inference;

public sealed class InferenceMetricsTests : IAsyncLifetime
{
    private GatewayHost _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await GatewayHost.StartAsync(CancellationToken.None);

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact(Timeout = 30_000)]
    public async Task Answer_Complete_RecordsTokensAndTimes()
    {
        using var tokens = Collect<long>("gen_ai.client.token.usage");
        using var firstToken = Collect<double>("gen_ai.server.time_to_first_token");
        using var duration = Collect<double>("gen_ai.server.request.duration");

        using var response = await _gateway.ChatAsync("", TestContext.Current.CancellationToken);

        // Recorded when the request ends, which the client may see first.
        await tokens.WaitForMeasurementsAsync(2, TestContext.Current.CancellationToken);
        var usage = tokens.GetMeasurementSnapshot().ToDictionary(measured => (string)measured.Tags["gen_ai.token.type"]!, measured => measured.Value);
        Assert.Equal(new Dictionary<string, long> { ["input"] = 12, ["output"] = 4 }, usage);
        Assert.Equal("chat", Assert.Single(firstToken.GetMeasurementSnapshot()).Tags["gen_ai.operation.name"]);
        var whole = Assert.Single(duration.GetMeasurementSnapshot());
        Assert.Equal("demo", whole.Tags["gen_ai.request.model"]);
        Assert.False(whole.Tags.ContainsKey("error.type"));
    }

    [Fact(Timeout = 30_000)]
    public async Task Answer_Failed_RecordsTheErrorType()
    {
        _gateway.Agent.Script = Answers.Error(400, "too long", code: "context_length_exceeded");
        using var duration = Collect<double>("gen_ai.server.request.duration");

        using var response = await _gateway.ChatAsync("", TestContext.Current.CancellationToken);

        await duration.WaitForMeasurementsAsync(1, TestContext.Current.CancellationToken);
        Assert.Equal("context_length_exceeded", Assert.Single(duration.GetMeasurementSnapshot()).Tags["error.type"]);
    }

    private MetricCollector<T> Collect<T>(string instrument)
        where T : struct => new(_gateway.Services.GetRequiredService<IMeterFactory>(), InferenceMetrics.Name, instrument);
}
