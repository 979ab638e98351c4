using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>The Coordinator's own OpenAI surface, as a client sees it: what users feel is what is measured.</summary>
internal interface ISelfEndpoint
{
    HttpClient Http { get; }

    /// <summary>Ends with <c>/v1/</c>.</summary>
    Uri BaseUrl { get; }
}

/// <summary>By loopback, with this start's local key where keys are required.</summary>
internal sealed class SelfEndpoint(ListeningPorts ports, ClusterHome home) : ISelfEndpoint, IDisposable
{
    public HttpClient Http { get; } = new(new LocalKeyHandler(home, new SocketsHttpHandler { UseProxy = false })) { Timeout = Timeout.InfiniteTimeSpan };

    public Uri BaseUrl => new(FormattableString.Invariant($"http://127.0.0.1:{ports.Http}/v1/"));

    public void Dispose() => Http.Dispose();
}
