using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>Two machines with two cables between them, one of them slow: which one is used is measured, shown, and can be set.</summary>
[Collection(PublishedAgent.Tests)]
public sealed class SeveralLinksTests(PublishedAgent agent)
{
    [Fact(Timeout = 300_000)]
    public async Task Links_TwoCablesBetweenMachines_TheFastOneIsUsedUntilAnotherIsSet()
    {
        SshMachine.Require();
        var cancelled = TestContext.Current.CancellationToken;
        await using var left = await SshMachine.StartAsync(cancelled);
        await using var right = await SshMachine.StartAsync(cancelled);
        left.Connect(right, "fast0", "192.168.77.1", "192.168.77.2");
        left.Connect(right, "slow0", "192.168.78.1", "192.168.78.2");
        left.SlowDown("slow0");
        right.SlowDown("slow0");
        await using var coordinator = await CoordinatorProcess.StartAsync("0.0.0.0", cancelled, agent.Setting);
        foreach (var (machine, nodeId) in new[] { (left, "left"), (right, "right") })
        {
            var added = await coordinator.AddAsync(new { target = $"root@{machine.Address}", keyFile = machine.RootKeyFile, hostKey = machine.HostKeyFingerprint(), nodeId }, cancelled);
            Assert.True(added.GetProperty("state").GetString() == "succeeded", $"{added}\n{coordinator.Output}");
        }

        using var measured = await coordinator.PostAsync("/api/links/left/right/measure", new { }, cancelled);
        var link = JsonSerializer.Deserialize<JsonElement>(await measured.Content.ReadAsStringAsync(cancelled));
        Assert.Equal("https://192.168.77.2:7430", link.GetProperty("url").GetString());
        Assert.Contains("as measured", link.GetProperty("reason").GetString(), StringComparison.Ordinal);
        var readings = link.GetProperty("addresses").EnumerateArray().ToDictionary(one => one.GetProperty("interface").GetString()!);
        Assert.True(Bandwidth(readings["fast0"]) > Bandwidth(readings["slow0"]), $"{link}");
        // The address on the way to the Coordinator leads to the other machine only through it, and it does not forward.
        Assert.NotEqual(JsonValueKind.Null, readings["eth0"].GetProperty("problem").ValueKind);

        using var set = await coordinator.Http.PutAsJsonAsync("/api/links/left/right", new { url = "https://192.168.78.2:7430" }, cancelled);
        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        var all = await coordinator.GetAsync("/api/links", cancelled);
        Assert.Equal(("https://192.168.78.2:7430", "set by hand"), Used(all, "left", "right"));
        Assert.NotEqual("https://192.168.78.1:7430", Used(all, "right", "left").Url);

        using var wrong = await coordinator.Http.PutAsJsonAsync("/api/links/left/right", new { url = "https://192.168.79.1:7430" }, cancelled);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        using var automatic = await coordinator.Http.DeleteAsync(new Uri("/api/links/left/right", UriKind.Relative), cancelled);
        Assert.Equal("https://192.168.77.2:7430", (await automatic.Content.ReadFromJsonAsync<JsonElement>(cancelled)).GetProperty("url").GetString());
    }

    private static double Bandwidth(JsonElement reading) => reading.GetProperty("bandwidthBytesPerSecond").GetDouble();

    private static (string? Url, string? Reason) Used(JsonElement links, string from, string to)
    {
        var link = links.EnumerateArray().First(one => one.GetProperty("from").GetString() == from && one.GetProperty("to").GetString() == to);
        return (link.GetProperty("url").GetString(), link.GetProperty("reason").GetString());
    }
}
