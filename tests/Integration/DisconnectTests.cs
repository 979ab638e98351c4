using System.Net.Http.Json;
using System.Text.Json;

namespace ClusterLlm.Integration;

/// <summary>A client that goes away takes its work with it, on every stage.</summary>
public sealed class DisconnectTests(RunningCluster cluster)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    [Fact(Timeout = 60_000)]
    public async Task Chat_ClientDisconnects_NoNodeRunsItAnyMore()
    {
        var token = TestContext.Current.CancellationToken;
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(new
            {
                model = "demo",
                stream = true,
                max_tokens = 900,
                ignore_eos = true,
                messages = new[] { new { role = "user", content = "Tell me an old tale." } },
            }),
        };

        // Without draining: a client that goes away does not read on for a while.
        using SocketsHttpHandler handler = new() { MaxResponseDrainSize = 0, ResponseDrainTimeout = TimeSpan.Zero };
        using HttpClient http = new(handler) { BaseAddress = cluster.Http.BaseAddress };
        using (var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token))
        {
            response.EnsureSuccessStatusCode();
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(token));
            Assert.NotNull(await reader.ReadLineAsync(token));
        }

        await WaitUntilIdleAsync(token);
    }

    /// <summary>The telemetry of every node says 0 running requests; readings come once a second, so the limit allows for a few.</summary>
    private async Task WaitUntilIdleAsync(CancellationToken token)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        var began = TimeProvider.System.GetTimestamp();
        string running;
        do
        {
            var nodes = await cluster.GetAsync("/api/nodes", token);
            running = string.Join(", ", nodes.EnumerateArray().Select(Running));
            if (nodes.EnumerateArray().All(node => Requests(node) == 0))
            {
                return;
            }
        }
        while (TimeProvider.System.GetElapsedTime(began) < Limit && await pause.WaitForNextTickAsync(token));

        Assert.Fail($"After {Limit.TotalSeconds} s the nodes still run requests: {running}");
    }

    private static int Requests(JsonElement node) => node.GetProperty("runningRequests").GetInt32() + node.GetProperty("queuedRequests").GetInt32();

    private static string Running(JsonElement node) => $"{node.GetProperty("id")}: {Requests(node)}";
}
