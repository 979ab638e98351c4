using System.Net;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.ServiceDefaults.Tests.Security;

public sealed class LocalKeyHandlerTests : IDisposable
{
    private readonly ClusterHome _home = new(Directory.CreateTempSubdirectory("clusterllm-local-key-").FullName);

    public void Dispose() => Directory.Delete(_home.Path, recursive: true);

    [Theory]
    [InlineData("http://127.0.0.1:7420/api/nodes", true)]
    [InlineData("http://localhost:7420/v1/models", true)]
    [InlineData("http://127.0.0.1:7420/health", false)]
    [InlineData("http://192.0.2.7:7420/api/nodes", false)]
    [InlineData("https://mac.example/v1/models", false)]
    public async Task Send_KeyInTheHome_IsShownToTheCoordinatorOfThisMachineOnly(string url, bool isShown)
    {
        Leave("secret");
        using var transport = new Recorder();
        using var http = new HttpClient(new LocalKeyHandler(_home, transport));

        await http.GetAsync(new Uri(url), TestContext.Current.CancellationToken);

        Assert.Equal(isShown ? "Bearer secret" : null, transport.Authorization);
    }

    [Fact]
    public async Task Send_CoordinatorThatStartedAnew_IsShownItsNewKey()
    {
        using var transport = new Recorder();
        using var http = new HttpClient(new LocalKeyHandler(_home, transport)) { BaseAddress = new Uri("http://127.0.0.1:7420") };

        await http.GetAsync(new Uri("/api/nodes", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Null(transport.Authorization);
        Leave("first\n");
        await http.GetAsync(new Uri("/api/nodes", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal("Bearer first", transport.Authorization);
        Leave("second");
        await http.GetAsync(new Uri("/api/nodes", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal("Bearer second", transport.Authorization);
    }

    private void Leave(string key)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_home.LocalKeyPath)!);
        File.WriteAllText(_home.LocalKeyPath, key);
    }

    private sealed class Recorder : HttpMessageHandler
    {
        public string? Authorization { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Authorization = request.Headers.Authorization?.ToString();
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
        }
    }
}
