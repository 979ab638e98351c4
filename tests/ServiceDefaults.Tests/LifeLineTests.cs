namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class LifeLineTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("clusterllm-line-").FullName;

    [Fact(Timeout = 20_000)]
    public async Task Dispose_TwoConnected_BothReadTheEnd()
    {
        var token = TestContext.Current.CancellationToken;
        var line = LifeLine.Open(_home);
        await using var first = LifeLine.Connect(line.Path);
        await using var second = LifeLine.Connect(line.Path);
        var reads = new[] { first, second }.Select(stream => EndAsync(stream, token)).ToArray();
        Assert.DoesNotContain(reads, read => read.IsCompleted);

        line.Dispose();

        await Task.WhenAll(reads);
        Assert.False(File.Exists(line.Path));
    }

    [Fact]
    public void Open_FileOfAKilledHost_TakesItsPlace()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(LifeLine.PathFor(_home))!);
        File.WriteAllText(LifeLine.PathFor(_home), "");

        using var line = LifeLine.Open(_home);

        using var connected = LifeLine.Connect(line.Path);
        Assert.True(connected.CanRead);
    }

    [Fact]
    public void Connect_NobodyThere_SaysWhere()
    {
        var failure = Assert.Throws<IOException>(() => LifeLine.Connect(Path.Join(_home, "none")));

        Assert.Contains(Path.Join(_home, "none"), failure.Message);
    }

    [Fact]
    public void PathFor_LongHome_FitsASocket()
    {
        var path = LifeLine.PathFor($"/{new string('h', 200)}");

        Assert.StartsWith(Path.GetTempPath(), path);
        Assert.NotEqual(path, LifeLine.PathFor($"/{new string('i', 200)}"));
    }

    /// <summary>An end of file, or a reset where the host ended before it had taken the connection: the reader ends either way.</summary>
    private static async Task EndAsync(Stream stream, CancellationToken cancellationToken)
    {
        try
        {
            Assert.Equal(0, await stream.ReadAsync(new byte[1], cancellationToken));
        }
        catch (IOException)
        {
        }
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);
}
