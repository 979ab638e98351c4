using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ClusterLlm.AppHost.Demo;

/// <summary>The host's own client of the cluster's REST API.</summary>
internal sealed class ClusterClient(HttpClient http, string baseUrl)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public string BaseUrl => baseUrl;

    public async Task<IReadOnlyList<NodeView>> NodesAsync(CancellationToken cancellationToken) =>
        await GetListAsync<NodeView>("/api/nodes", "nodes", cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<DeploymentView>> DeploymentsAsync(CancellationToken cancellationToken) =>
        await GetListAsync<DeploymentView>("/api/deployments", "deployments", cancellationToken).ConfigureAwait(false);

    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<DeploymentView> LaunchAsync(object request, CancellationToken cancellationToken) =>
        PostAsync("/api/deployments", request, cancellationToken);

    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<DeploymentView> RestartAsync(string id, CancellationToken cancellationToken) =>
        PostAsync($"/api/deployments/{Uri.EscapeDataString(id)}/restart", new { }, cancellationToken);

    /// <summary>The deployment now and after every change, until the stream ends.</summary>
    public async IAsyncEnumerable<DeploymentView> WatchAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var url = new Uri($"{baseUrl}/api/deployments/{Uri.EscapeDataString(id)}/events");
        using var stream = await http.GetStreamAsync(url, cancellationToken).ConfigureAwait(false);
        var events = SseParser.Create(stream, (_, data) => JsonSerializer.Deserialize<DeploymentView>(data, Json));
        await foreach (var item in events.EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.Data is { Id.Length: > 0 } deployment)
            {
                yield return deployment;
            }
        }
    }

    private async Task<IReadOnlyList<T>> GetListAsync<T>(string path, string property, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(new Uri(baseUrl + path), cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        var body = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken).ConfigureAwait(false);
        var list = body.ValueKind == JsonValueKind.Array ? body : body.GetProperty(property);
        return list.Deserialize<List<T>>(Json) ?? [];
    }

    private async Task<DeploymentView> PostAsync(string path, object body, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync(new Uri(baseUrl + path), body, Json, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw new ClusterRefusedException(await ProblemAsync(response, cancellationToken).ConfigureAwait(false));
        }

        return await response.Content.ReadFromJsonAsync<DeploymentView>(Json, cancellationToken).ConfigureAwait(false)
            ?? throw new ClusterRefusedException($"POST {path} was answered without a deployment.");
    }

    private static async Task<string> ProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var problem = JsonDocument.Parse(text);
            var reasons = problem.RootElement.TryGetProperty("rejections", out var rejections)
                ? rejections.EnumerateArray().Select(rejection => rejection.GetProperty("message").GetString())
                : [];
            var detail = problem.RootElement.TryGetProperty("detail", out var told) ? told.GetString() ?? text : text;
            return string.Join(' ', reasons.Prepend(detail).Distinct());
        }
        catch (JsonException)
        {
            return $"{(int)response.StatusCode} {text}".Trim();
        }
    }
}

/// <summary>The cluster answered, and the answer is no; the message is its own.</summary>
internal sealed class ClusterRefusedException(string message) : Exception(message);
