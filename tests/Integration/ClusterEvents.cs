using System.Net.ServerSentEvents;
using System.Text.Json;

namespace ClusterLlm.Integration;

/// <summary>Reads the cluster's own API the way a script would.</summary>
internal static class ClusterEvents
{
    /// <summary>Follows a deployment's server-sent events until <paramref name="last"/> comes; returns every state that was seen, in order.</summary>
    public static async Task<IReadOnlyList<string>> FollowAsync(HttpClient http, string id, string last, CancellationToken cancellationToken)
    {
        using var stream = await http.GetStreamAsync($"/api/deployments/{id}/events", cancellationToken);
        var states = new List<string>();
        await foreach (var item in SseParser.Create(stream, (_, data) => JsonSerializer.Deserialize<JsonElement>(data)).EnumerateAsync(cancellationToken))
        {
            var state = item.Data.GetProperty("state").GetString()!;
            if (states.Count == 0 || states[^1] != state)
            {
                states.Add(state);
            }

            if (state == last)
            {
                return states;
            }

            Assert.False(state == "failed", $"The deployment failed: {item.Data.GetProperty("reason")}");
        }

        return states;
    }

    /// <summary>Follows a deployment until it is in another state than <paramref name="state"/>; returns that one and its reason.</summary>
    public static async Task<string> LeaveAsync(HttpClient http, string id, string state, CancellationToken cancellationToken)
    {
        using var stream = await http.GetStreamAsync($"/api/deployments/{id}/events", cancellationToken);
        await foreach (var item in SseParser.Create(stream, (_, data) => JsonSerializer.Deserialize<JsonElement>(data)).EnumerateAsync(cancellationToken))
        {
            if (item.Data.GetProperty("state").GetString() is { } now && now != state)
            {
                return $"{now}: {(item.Data.TryGetProperty("reason", out var reason) ? reason.ToString() : "")}";
            }
        }

        throw new InvalidOperationException($"The events of deployment {id} ended while it was {state}.");
    }
}
