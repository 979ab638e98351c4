using System.Net;
using System.Text;
using ClusterLlm.AppHost.Cluster;

namespace ClusterLlm.AppHost.Tests.Commands;

/// <summary>Answers requests of the host's client from a table of <c>METHOD path</c> and keeps what was asked.</summary>
internal sealed class FakeCluster : HttpMessageHandler
{
    private readonly Dictionary<string, (HttpStatusCode Status, string Body)> _answers = [];
    private readonly Dictionary<string, Func<Stream>> _streams = [];
    private readonly Dictionary<string, TaskCompletionSource> _asked = [];
    private readonly HttpClient _http;

    public FakeCluster() => _http = new(this, disposeHandler: false);

    /// <summary>In order: <c>METHOD path body</c>.</summary>
    public List<string> Requests { get; } = [];

    public ClusterClient Client => new(_http, "http://cluster.test");

    public FakeCluster Answer(string request, string body, HttpStatusCode status = HttpStatusCode.OK)
    {
        lock (Requests)
        {
            _answers[request] = (status, body);
            return this;
        }
    }

    /// <summary>Answers with what comes out of a stream.</summary>
    public FakeCluster AnswerStream(string request, Func<Stream> open)
    {
        _streams[request] = open;
        return this;
    }

    /// <summary>Completes when the request has come for the first time.</summary>
    public Task WhenAskedAsync(string request, CancellationToken cancellationToken)
    {
        lock (Requests)
        {
            return Asked(request).Task.WaitAsync(cancellationToken);
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var name = $"{request.Method} {request.RequestUri!.AbsolutePath}";
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        lock (Requests)
        {
            Requests.Add($"{name} {body}".Trim());
            Asked(name).TrySetResult();
            if (_streams.TryGetValue(name, out var open))
            {
                return new(HttpStatusCode.OK) { Content = new StreamContent(open()) };
            }

            return _answers.TryGetValue(name, out var answer)
                ? new(answer.Status) { Content = new StringContent(answer.Body, Encoding.UTF8, "application/json") }
                : throw new HttpRequestException($"Nobody answers {name}.");
        }
    }

    private TaskCompletionSource Asked(string request)
    {
        if (!_asked.TryGetValue(request, out var asked))
        {
            _asked[request] = asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return asked;
    }

    protected override void Dispose(bool disposing)
    {
        _http.Dispose();
        base.Dispose(disposing);
    }
}
