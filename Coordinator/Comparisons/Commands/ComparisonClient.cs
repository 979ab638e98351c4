using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClusterLlm.Coordinator.Comparisons.Storage;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Comparisons.Commands;

/// <summary>Asks a running Coordinator.</summary>
internal sealed class ComparisonClient : IDisposable
{
    private readonly HttpClient _http;

    public ComparisonClient(string baseUrl)
    {
        BaseUrl = baseUrl.TrimEnd('/');
        var home = ClusterHome.From(new ConfigurationBuilder().AddEnvironmentVariables().Build());
        _http = new HttpClient(new LocalKeyHandler(home, new SocketsHttpHandler { UseProxy = false }))
        {
            BaseAddress = new Uri($"{BaseUrl}/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public string BaseUrl { get; }

    public void Dispose() => _http.Dispose();

    public async Task<string> StartAsync(JsonObject body, CancellationToken cancellationToken)
    {
        using var response = await _http.PostAsJsonAsync("api/comparisons", body, cancellationToken);
        return (await ReadAsync(response, cancellationToken)).GetProperty("id").GetString()!;
    }

    public async Task<JsonElement> ImportAsync(string lines, CancellationToken cancellationToken)
    {
        using var content = new StringContent(lines, System.Text.Encoding.UTF8, "application/jsonl");
        using var response = await _http.PostAsync(new Uri("api/measurements", UriKind.Relative), content, cancellationToken);
        return await ReadAsync(response, cancellationToken);
    }

    public async Task<string> ReportAsync(string id, string query, CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(new Uri($"api/comparisons/{Uri.EscapeDataString(id)}/report?{query}", UriKind.Relative), cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode ? text : throw new HttpRequestException(Detail(text));
    }

    public async IAsyncEnumerable<ComparisonEvent> WatchAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var stream = await _http.GetStreamAsync(new Uri($"api/comparisons/{Uri.EscapeDataString(id)}/events", UriKind.Relative), cancellationToken);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancellationToken))
        {
            if (JsonSerializer.Deserialize<ComparisonEvent>(item.Data, ComparisonStore.Json) is { } happening)
            {
                yield return happening;
            }
        }
    }

    /// <summary>Runs what needs the Coordinator; when it refuses or does not answer, says so and returns 1.</summary>
    public async Task<int> TryAsync(Func<Task<int>> action, CancellationToken cancellationToken)
    {
        try
        {
            return await action();
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or JsonException && !cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"The Coordinator at {BaseUrl}: {failure.Message} Start it with dotnet run --project AppHost, or name another one with --url.");
            return 1;
        }
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode ? JsonSerializer.Deserialize<JsonElement>(text) : throw new HttpRequestException(Detail(text));
    }

    private static string Detail(string problem)
    {
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(problem) is { ValueKind: JsonValueKind.Object } body && body.TryGetProperty("detail", out var detail) ? detail.ToString() : problem;
        }
        catch (JsonException)
        {
            return problem;
        }
    }
}
