using System.Net;
using System.Text;
using ClusterLlm.AppHost.Cluster;

namespace ClusterLlm.AppHost.Tests.Commands;

/// <summary>Answers requests of the host's client from a table of <c>METHOD path</c> and keeps what was asked.</summary>
internal sealed class FakeCluster : HttpMessageHandler
{
    private readonly Dictionary<string, (HttpStatusCode Status, string Body)> _answers = [];
    private readonly HttpClient _http;

    public FakeCluster() => _http = new(this, disposeHandler: false);

    /// <summary>In order: <c>METHOD path body</c>.</summary>
    public List<string> Requests { get; } = [];

    public ClusterClient Client => new(_http, "http://cluster.test");

    public FakeCluster Answer(string request, string body, HttpStatusCode status = HttpStatusCode.OK)
    {
        _answers[request] = (status, body);
        return this;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var name = $"{request.Method} {request.RequestUri!.AbsolutePath}";
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        lock (Requests)
        {
            Requests.Add($"{name} {body}".Trim());
        }

        return _answers.TryGetValue(name, out var answer)
            ? new(answer.Status) { Content = new StringContent(answer.Body, Encoding.UTF8, "application/json") }
            : throw new HttpRequestException($"Nobody answers {name}.");
    }

    protected override void Dispose(bool disposing)
    {
        _http.Dispose();
        base.Dispose(disposing);
    }
}
