using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
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
        ReadDeployments(await DeploymentsTextAsync(cancellationToken).ConfigureAwait(false));

    /// <summary>As it is sent: who asks again and again sees without reading it that nothing has changed.</summary>
    public Task<string> DeploymentsTextAsync(CancellationToken cancellationToken) => http.GetStringAsync(new Uri(baseUrl + "/api/deployments"), cancellationToken);

    public static IReadOnlyList<DeploymentView> ReadDeployments(string text) => ReadList<DeploymentView>(JsonSerializer.Deserialize<JsonElement>(text), "deployments");

    public static IReadOnlyList<NodeView> ReadNodes(string text) => JsonSerializer.Deserialize<List<NodeView>>(text, Json) ?? [];

    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<PlanAnswerView> PlanAsync(object request, CancellationToken cancellationToken) =>
        PostAsync<PlanAnswerView>("/api/plans", request, cancellationToken);

    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<DeploymentView> LaunchAsync(object request, CancellationToken cancellationToken) =>
        PostAsync<DeploymentView>("/api/deployments", request, cancellationToken);

    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<ComparisonView> CompareAsync(object request, CancellationToken cancellationToken) =>
        PostAsync<ComparisonView>("/api/comparisons", request, cancellationToken);

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

    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<JoinTokenView> CreateTokenAsync(object request, CancellationToken cancellationToken) => PostAsync<JoinTokenView>("/api/tokens", request, cancellationToken);

    /// <summary>Makes a machine a node; the answer is a run that has begun.</summary>
    /// <exception cref="ClusterRefusedException">The cluster says why it will not.</exception>
    public Task<NodeRunView> AddNodeAsync(object request, CancellationToken cancellationToken) => PostAsync<NodeRunView>("/api/nodes", request, cancellationToken);

    /// <summary>The run now and after every change, until it has ended.</summary>
    public IAsyncEnumerable<NodeRunView> WatchRunAsync(string id, CancellationToken cancellationToken) =>
        EventsAsync<NodeRunView>($"/api/node-runs/{Uri.EscapeDataString(id)}/events", cancellationToken);

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

    /// <summary>All nodes now and after every change, as they are sent, until the stream ends. <see cref="ReadNodes"/> reads them.</summary>
    public IAsyncEnumerable<string> WatchNodesAsync(CancellationToken cancellationToken) =>
        EventsAsync("/api/nodes/events", (_, data) => Encoding.UTF8.GetString(data), cancellationToken);

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

    private IAsyncEnumerable<T> EventsAsync<T>(string path, CancellationToken cancellationToken)
        where T : class => EventsAsync(path, (_, data) => JsonSerializer.Deserialize<T>(data, Json), cancellationToken);

    private async IAsyncEnumerable<T> EventsAsync<T>(string path, SseItemParser<T?> read, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        using var stream = await http.GetStreamAsync(new Uri(baseUrl + path), cancellationToken).ConfigureAwait(false);
        await foreach (var item in SseParser.Create(stream, read).EnumerateAsync(cancellationToken).ConfigureAwait(false))
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
        return ReadList<T>(await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken).ConfigureAwait(false), property);
    }

    private static List<T> ReadList<T>(JsonElement body, string property) =>
        (body.ValueKind == JsonValueKind.Array ? body : body.GetProperty(property)).Deserialize<List<T>>(Json) ?? [];

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
