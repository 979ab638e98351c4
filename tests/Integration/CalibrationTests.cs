using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ClusterLlm.Integration;

/// <summary>Measuring a node with two short runs on its real engine, and its links to the other agents.</summary>
public sealed class CalibrationTests(RunningCluster cluster)
{
    [Fact(Timeout = 120_000)]
    public async Task Calibrate_OnRealAgents_MeasuresEngineAndLinksAndPlansWithThem()
    {
        var token = TestContext.Current.CancellationToken;
        using var answer = await cluster.Http.PostAsync("/api/nodes/node-2/calibrate", null, token);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(token));
        var measured = await answer.Content.ReadFromJsonAsync<JsonElement>(token);
        var calibration = measured.GetProperty("calibration");
        Assert.Equal("builtin", calibration.GetProperty("engine").GetString());
        Assert.True(calibration.GetProperty("bandwidthShare").GetDouble() > 0, measured.ToString());
        Assert.True(calibration.GetProperty("layerMilliseconds").GetDouble() >= 0, measured.ToString());

        var links = measured.GetProperty("links").EnumerateArray().ToArray();
        Assert.Equal(["node-1", "node-3"], links.SelectMany(Ends).Distinct().Where(node => node != "node-2").Order());
        Assert.All(links, link =>
        {
            Assert.True(TimeSpan.Parse(link.GetProperty("roundTrip").GetString()!, System.Globalization.CultureInfo.InvariantCulture) > TimeSpan.Zero, link.ToString());
            Assert.True(link.GetProperty("bandwidthBytesPerSecond").GetDouble() > 0, link.ToString());
        });

        // Nothing of the measurement stays, and from now on the node is planned by what was measured.
        var deployments = await cluster.GetAsync("/api/deployments", token);
        Assert.DoesNotContain(deployments.EnumerateArray(), one => one.GetProperty("name").GetString()!.StartsWith("calibration", StringComparison.Ordinal)
            && one.GetProperty("state").GetString() is not ("stopped" or "stopping"));
        using var plan = await cluster.Http.PostAsJsonAsync("/api/plans", new { model = "demo-3m", engine = "builtin", nodes = new[] { "node-2" } }, token);
        var predicted = (await plan.Content.ReadFromJsonAsync<JsonElement>(token)).GetProperty("predicted").GetProperty("decodeTokensPerSecond");
        Assert.Equal("calibrated on these machines", predicted.GetProperty("source").GetString());
    }

    private static IEnumerable<string> Ends(JsonElement link) =>
        [link.GetProperty("fromNodeId").GetString()!, link.GetProperty("toNodeId").GetString()!];
}
