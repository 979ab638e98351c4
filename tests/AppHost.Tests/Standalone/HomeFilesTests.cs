using ClusterLlm.AppHost.Standalone;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.AppHost.Tests.Standalone;

public sealed class HomeFilesTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("clusterllm-home-").FullName;

    [Fact]
    public void TryTake_HeldByAnother_IsRefusedUntilItLetsGo()
    {
        var first = HomeLock.TryTake(_home, HomeLock.AppHost);
        var second = HomeLock.TryTake(_home, HomeLock.AppHost);
        first!.Dispose();
        using var third = HomeLock.TryTake(_home, HomeLock.AppHost);

        Assert.Null(second);
        Assert.NotNull(third);
    }

    [Fact]
    public void TryTake_LockFileOfADeadHost_IsTaken()
    {
        Directory.CreateDirectory(Path.Join(_home, "run"));
        File.WriteAllText(Path.Join(_home, "run", "apphost.lock"), "99999999");

        using var held = HomeLock.TryTake(_home, HomeLock.AppHost);

        Assert.NotNull(held);
    }

    [Fact]
    public void RunRecord_WrittenAndRead_IsTheSame()
    {
        Directory.CreateDirectory(Path.Join(_home, "run"));
        new RunRecord(12, "http://127.0.0.1:7420", [34, 56]).Write(_home);

        var read = RunRecord.TryRead(_home)!;

        Assert.Equal((12, "http://127.0.0.1:7420"), (read.Pid, read.Url));
        Assert.Equal([34, 56], read.Children);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not json")]
    public void RunRecord_Damaged_IsIgnored(string text)
    {
        Directory.CreateDirectory(Path.Join(_home, "run"));
        File.WriteAllText(RunRecord.PathIn(_home), text);

        Assert.Null(RunRecord.TryRead(_home));
    }

    [Fact]
    public void ReadyFile_OfThisProcess_GivesAddressesByEndpoint()
    {
        var path = Path.Join(_home, "a.json");
        File.WriteAllText(path, """{"httpUrl":"http://127.0.0.1:7420/","grpcUrl":"http://127.0.0.1:7421","pid":42}""");

        var urls = ReadyFile.TryRead(path, 42)!;

        Assert.Equal(["grpc http://127.0.0.1:7421", "http http://127.0.0.1:7420"], urls.Select(url => $"{url.Key} {url.Value}"));
        Assert.Null(ReadyFile.TryRead(path, 43));
        Assert.Null(ReadyFile.TryRead(path + ".missing", 42));
    }

    [Fact]
    public void ReadyFile_Malformed_NamesTheFile()
    {
        var path = Path.Join(_home, "a.json");
        File.WriteAllText(path, "[]");

        Assert.Contains(path, Assert.Throws<InvalidDataException>(() => ReadyFile.TryRead(path, 42)).Message);
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);
}
