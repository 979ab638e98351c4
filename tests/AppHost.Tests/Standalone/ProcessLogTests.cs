using ClusterLlm.AppHost.Standalone;

namespace ClusterLlm.AppHost.Tests.Standalone;

public sealed class ProcessLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("clusterllm-log-").FullName;

    private string FilePath => Path.Join(_folder, "logs", "a.log");

    [Fact]
    public void Append_Lines_AreInTheFileAtOnce()
    {
        using var log = new ProcessLog(FilePath, mostBytes: 1000);

        log.Append("one", isError: false);
        log.Append("two", isError: true);

        using var reader = new StreamReader(new FileStream(FilePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        Assert.Equal("one\ntwo\n", reader.ReadToEnd());
        Assert.Equal([new LogLine(1, "one", false), new LogLine(2, "two", true)], log.Last(5));
    }

    [Fact]
    public void Append_MoreThanTheLimit_KeepsTwoFilesOfAboutThatSize()
    {
        using var log = new ProcessLog(FilePath, mostBytes: 1000);

        for (var i = 0; i < 500; i++)
        {
            log.Append($"line {i}", isError: false);
        }

        Assert.Equal(["a.log", "a.log.1"], Directory.GetFiles(Path.GetDirectoryName(FilePath)!).Select(Path.GetFileName).Order());
        Assert.All(Directory.GetFiles(Path.GetDirectoryName(FilePath)!), file => Assert.InRange(new FileInfo(file).Length, 1, 1100));
        Assert.Equal("line 499", log.Last(1).Single().Text);
    }

    [Fact]
    public void Begin_EarlierFile_IsKeptAside()
    {
        using (var earlier = new ProcessLog(FilePath, mostBytes: 1000))
        {
            earlier.Append("before", isError: false);
        }

        using var log = new ProcessLog(FilePath, mostBytes: 1000);

        Assert.Equal("before\n", File.ReadAllText(FilePath + ".1"));
    }

    [Fact(Timeout = 10_000)]
    public async Task FollowAsync_KeptAndNewLines_ComeInOrder()
    {
        using var log = new ProcessLog(FilePath, mostBytes: 1000);
        log.Append("kept", isError: false);
        var lines = log.FollowAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Assert.True(await lines.MoveNextAsync());
        var kept = lines.Current.Text;
        log.Append("new", isError: false);
        Assert.True(await lines.MoveNextAsync());

        Assert.Equal(("kept", "new"), (kept, lines.Current.Text));
        await lines.DisposeAsync();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
