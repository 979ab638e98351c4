namespace ClusterLlm.AppHost.Standalone;

/// <summary>Asks a process by HTTP whether it is well.</summary>
internal sealed class HealthClient(HttpClient http, TimeSpan timeout)
{
    /// <summary>Null when it is well, else why not.</summary>
    public async Task<string?> CheckAsync(string url, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            using var response = await http.GetAsync(new Uri(url), limit.Token).ConfigureAwait(false);
            return response.IsSuccessStatusCode ? null : $"{url} answers {(int)response.StatusCode}";
        }
        catch (HttpRequestException failure)
        {
            return $"{url} does not answer: {failure.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"{url} does not answer within {timeout.TotalSeconds} s";
        }
    }
}
