using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>The host's own client of the cluster's REST API.</summary>
internal sealed class ClusterClient(HttpClient http, string baseUrl)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public string BaseUrl => baseUrl;

    public async Task<IReadOnlyList<NodeView>> NodesAsync(CancellationToken cancellationToken) =>
        await GetListAsync<NodeView>("/api/nodes", "nodes", cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<ModelView>> ModelsAsync(CancellationToken cancellationToken) =>
        await GetListAsync<ModelView>("/api/models", "models", cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<DeploymentView>> DeploymentsAsync(CancellationToken cancellationToken) =>
        await GetListAsync<DeploymentView>("/api/deployments", "deployments", cancellationToken).ConfigureAwait(false);

    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<PlanAnswerView> PlanAsync(object request, CancellationToken cancellationToken) =>
        PostAsync<PlanAnswerView>("/api/plans", request, cancellationToken);

    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<DeploymentView> LaunchAsync(object request, CancellationToken cancellationToken) =>
        PostAsync<DeploymentView>("/api/deployments", request, cancellationToken);

    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<DeploymentView> RestartAsync(string id, CancellationToken cancellationToken) =>
        PostAsync<DeploymentView>($"/api/deployments/{Uri.EscapeDataString(id)}/restart", new { }, cancellationToken);

    /// <summary>Stops a deployment; one that has stopped is forgotten.</summary>
    /// <returns>False when it was forgotten, true when it is stopping.</returns>
    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public async Task<bool> StopAsync(string id, CancellationToken cancellationToken) =>
        await DeleteAsync($"/api/deployments/{Uri.EscapeDataString(id)}", cancellationToken).ConfigureAwait(false) != HttpStatusCode.NoContent;

    /// <param name="draining">False lets the node take shards again.</param>
    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<NodeView> DrainAsync(string id, bool draining, CancellationToken cancellationToken) =>
        PostAsync<NodeView>($"/api/nodes/{Uri.EscapeDataString(id)}/{(draining ? "drain" : "resume")}", new { }, cancellationToken);

    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task RemoveNodeAsync(string id, CancellationToken cancellationToken) =>
        DeleteAsync($"/api/nodes/{Uri.EscapeDataString(id)}", cancellationToken);

    /// <summary>The deployment now and after every change, until the stream ends.</summary>
    public async IAsyncEnumerable<DeploymentView> WatchAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var deployment in EventsAsync<DeploymentView>(
            $"/api/deployments/{Uri.EscapeDataString(id)}/events", cancellationToken).ConfigureAwait(false))
        {
            if (deployment.Id.Length > 0)
            {
                yield return deployment;
            }
        }
    }

    /// <summary>All nodes now and after every change, until the stream ends.</summary>
    public IAsyncEnumerable<IReadOnlyList<NodeView>> WatchNodesAsync(CancellationToken cancellationToken) =>
        EventsAsync<IReadOnlyList<NodeView>>("/api/nodes/events", cancellationToken);

    /// <summary>A streamed chat request; the caller reads the events.</summary>
    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public async Task<HttpResponseMessage> ChatAsync(object request, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, baseUrl + "/v1/chat/completions") { Content = JsonContent.Create(request, options: Json) };
        var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await RefusalAsync(response, cancellationToken).ConfigureAwait(false);
        }
    }

    private async IAsyncEnumerable<T> EventsAsync<T>(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        using var stream = await http.GetStreamAsync(new Uri(baseUrl + path), cancellationToken).ConfigureAwait(false);
        var events = SseParser.Create(stream, (_, data) => JsonSerializer.Deserialize<T>(data, Json));
        await foreach (var item in events.EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.Data is { } value)
            {
                yield return value;
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

    private async Task<T> PostAsync<T>(string path, object body, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync(new Uri(baseUrl + path), body, Json, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw await RefusalAsync(response, cancellationToken).ConfigureAwait(false);
        }

        return await response.Content.ReadFromJsonAsync<T>(Json, cancellationToken).ConfigureAwait(false)
            ?? throw new ClusterRefusedException($"POST {path} was answered without a body.");
    }

    private async Task<HttpStatusCode> DeleteAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await http.DeleteAsync(new Uri(baseUrl + path), cancellationToken).ConfigureAwait(false);
        return response.IsSuccessStatusCode
            ? response.StatusCode
            : throw await RefusalAsync(response, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<ClusterRefusedException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        RefusalReader.Read((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false));
}
