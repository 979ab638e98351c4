using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>Talks to the server of rank 0 on loopback. Leaving an enumeration closes its connection, which is how an answer is cancelled there.</summary>
internal sealed partial class ServerClient : IDisposable
{
    private const int LongestError = 64 * 1024;
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;

    /// <param name="port">On loopback.</param>
    public ServerClient(int port)
    {
        // The server closes each connection after its answer, and there are never too many: the engine's own queue limits them.
        var handler = new SocketsHttpHandler { ConnectTimeout = ConnectLimit, UseProxy = false, UseCookies = false, AllowAutoRedirect = false };
        _http = new HttpClient(handler) { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The lines of an answer; the last one is <see cref="ServerLine.Done"/> when it is complete.</summary>
    /// <exception cref="GenerationException">The server refused the request.</exception>
    /// <exception cref="HttpRequestException">The server is gone.</exception>
    /// <exception cref="IOException">The server went away while it answered.</exception>
    public async IAsyncEnumerable<ServerLine> StreamAsync(string path, ReadOnlyMemory<byte> body, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw await RefusedAsync(response.StatusCode, stream, cancellationToken).ConfigureAwait(false);
            }

            await foreach (var line in ServerLines.ReadAsync(stream, cancellationToken).ConfigureAwait(false))
            {
                yield return line;
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<GenerationException> RefusedAsync(HttpStatusCode status, Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[LongestError];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return Explain((int)status, ReadError(buffer.AsMemory(0, length)));
    }

    /// <summary>
    /// What the server's error means. It says 404 for whatever goes wrong while it makes tokens of a prompt: <c>{"error": "context_length_exceeded: the prompt has …"}</c>,
    /// a chat template's own message, <c>generation thread died</c>.
    /// </summary>
    internal static GenerationException Explain(int status, string message)
    {
        if (status >= 500 || message.Contains("generation thread died", StringComparison.Ordinal))
        {
            return new GenerationException(503, $"The mlx engine can't answer now: {message}", code: "engine_unavailable");
        }

        const string TooLong = "context_length_exceeded: ";
        if (message.StartsWith(TooLong, StringComparison.Ordinal))
        {
            return new GenerationException(400, $"This deployment's context is too short: {message[TooLong.Length..]}.", "prompt", "context_length_exceeded");
        }

        var field = FieldPrefix().Match(message);
        return new GenerationException(400, message, field.Success ? field.Groups[1].Value : null, "invalid_value");
    }

    private static string ReadError(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.TryGetProperty("error", out var error) ? error.ToString() : "no reason given";
        }
        catch (JsonException)
        {
            return "no reason given";
        }
    }

    [GeneratedRegex(@"^([a-z_]+(?:\[\d+\])?(?:\.[a-z_]+)*): ", RegexOptions.CultureInvariant)]
    private static partial Regex FieldPrefix();
}
