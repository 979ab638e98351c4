using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace ClusterLlm.Integration.Comparisons;

/// <summary>Comparisons over the API.</summary>
internal static class ComparisonCalls
{
    /// <summary>Waits until so many nodes take shards.</summary>
    public static async Task WaitForNodesAsync(HttpClient http, int count, CancellationToken cancellationToken)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        JsonElement nodes;
        do
        {
            nodes = await http.GetFromJsonAsync<JsonElement>(new Uri("/api/nodes", UriKind.Relative), cancellationToken);
        }
        while (nodes.EnumerateArray().Count(node => node.GetProperty("state").GetString() == "ready") < count && await poll.WaitForNextTickAsync(cancellationToken));
    }

    /// <returns>The id of the comparison that was queued.</returns>
    public static async Task<string> StartAsync(HttpClient http, object request, CancellationToken cancellationToken)
    {
        using var started = await http.PostAsJsonAsync("/api/comparisons", request, cancellationToken);
        var body = await started.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(started.StatusCode == HttpStatusCode.Accepted, body);
        return JsonSerializer.Deserialize<JsonElement>(body).GetProperty("id").GetString()!;
    }

    /// <summary>Waits until an event of the comparison satisfies a condition.</summary>
    public static async Task WaitForAsync(HttpClient http, string id, Func<JsonElement, bool> condition, CancellationToken cancellationToken)
    {
        await using var stream = await http.GetStreamAsync(new Uri($"/api/comparisons/{id}/events", UriKind.Relative), cancellationToken);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancellationToken))
        {
            if (condition(JsonSerializer.Deserialize<JsonElement>(item.Data)))
            {
                return;
            }
        }
    }

    /// <summary>Waits for the end and reads what was found.</summary>
    public static async Task<SeenComparison> EndAsync(HttpClient http, string id, CancellationToken cancellationToken)
    {
        await WaitForAsync(http, id, step => step.GetProperty("state").GetString() is not ("queued" or "running"), cancellationToken);
        return new SeenComparison(await http.GetFromJsonAsync<JsonElement>(new Uri($"/api/comparisons/{id}", UriKind.Relative), cancellationToken));
    }
}
