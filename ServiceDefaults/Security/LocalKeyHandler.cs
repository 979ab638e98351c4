using System.Net.Http.Headers;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>Shows the Coordinator the key that it left in the home folder for programs of this user. Nobody else is shown it, and none where it left none.</summary>
internal sealed class LocalKeyHandler(ClusterHome home, HttpMessageHandler transport) : DelegatingHandler(transport)
{
    private readonly string _path = home.LocalKeyPath;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // The same client asks probes, and fetches the dashboard from elsewhere.
        var isCoordinator = request.RequestUri is { IsLoopback: true } uri
            && (uri.AbsolutePath.StartsWith("/api/", StringComparison.Ordinal) || uri.AbsolutePath.StartsWith("/v1/", StringComparison.Ordinal));
        if (isCoordinator && await ReadAsync(cancellationToken).ConfigureAwait(false) is { } key)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Read each time: a Coordinator that starts anew leaves a new one.</summary>
    private async Task<string?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return File.Exists(_path) ? (await File.ReadAllTextAsync(_path, cancellationToken).ConfigureAwait(false)).Trim() : null;
        }
        catch (IOException)
        {
            // Gone between the two calls: the Coordinator is starting, and asks for none yet.
            return null;
        }
    }
}
