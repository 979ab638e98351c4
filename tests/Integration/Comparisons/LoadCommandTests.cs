using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ClusterLlm.Integration.Comparisons;

/// <summary><c>compare load</c> as a process, against endpoints that are none.</summary>
public sealed class LoadCommandTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _home = AppHostProcess.NewHome();

    [Theory(Timeout = 120_000)]
    [InlineData("\u0000\u0001\u0002 this is no HTTP\r\n\r\n", "the connection failed")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello", "the endpoint answered 200 with text/html: hello")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: {\"choices\":[{\"text\":\"a\"}]}\n\n", "without its end mark")]
    public async Task Load_EndpointThatAnswersGarbage_SaysWhatCameAndEndsWith3(string answer, string words)
    {
        var token = TestContext.Current.CancellationToken;
        _listener.Start();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(token);
        var serving = ServeAsync(answer, end.Token);

        var (code, output) = await CoordinatorCommand.RunAsync(_home, ["compare", "load", "--endpoint", $"http://{_listener.LocalEndpoint}/v1", "--model", "m", "--requests", "3"], token);

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
        Assert.True(code == 3, output);
        Assert.Contains("0 of 3", output);
        Assert.Contains(words, output);
    }

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    private async Task ServeAsync(string answer, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            using var client = await _listener.AcceptTcpClientAsync(cancellationToken);
            await using var stream = client.GetStream();
            _ = await stream.ReadAsync(buffer, cancellationToken);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), cancellationToken);
        }
    }
}
