using ClusterLlm.NodeAgent.Hardware.Linux;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Linux;

public sealed class CgroupMemoryTests
{
    private const long Machine = 64_000;

    [Fact]
    public void Read_NestedGroups_TheOneWithLeastRoomBinds()
    {
        var files = new Dictionary<string, string>
        {
            ["/proc/self/cgroup"] = "0::/a/b\n",
            ["/sys/fs/cgroup/a/b/memory.max"] = "max\n",
            ["/sys/fs/cgroup/a/memory.max"] = "30000\n",
            ["/sys/fs/cgroup/a/memory.current"] = "20000\n",
            ["/sys/fs/cgroup/a/memory.stat"] = "anon 15000\ninactive_file 4000\n",
            ["/sys/fs/cgroup/memory.max"] = "40000\n",
            ["/sys/fs/cgroup/memory.current"] = "20000\n",
        };

        Assert.Equal(new CgroupMemory(30_000, 16_000, "cgroup memory.max"), CgroupMemory.Read(files.GetValueOrDefault, Machine));
    }

    [Fact]
    public void Read_ContainerNamespace_LimitIsAtTheRoot()
    {
        var files = new Dictionary<string, string>
        {
            ["/proc/self/cgroup"] = "0::/\n",
            ["/sys/fs/cgroup/memory.max"] = "20000\n",
            ["/sys/fs/cgroup/memory.current"] = "5000\n",
        };

        Assert.Equal(new CgroupMemory(20_000, 5_000, "cgroup memory.max"), CgroupMemory.Read(files.GetValueOrDefault, Machine));
    }

    [Fact]
    public void Read_VersionOne_ReadsItsOwnFiles()
    {
        var files = new Dictionary<string, string>
        {
            ["/proc/self/cgroup"] = "12:cpu,cpuacct:/docker/x\n9:memory:/docker/x\n0::/docker/x\n",
            ["/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes"] = "20000\n",
            ["/sys/fs/cgroup/memory/docker/x/memory.usage_in_bytes"] = "9000\n",
            ["/sys/fs/cgroup/memory/docker/x/memory.stat"] = "total_inactive_file 1000\n",
            ["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n",
        };

        Assert.Equal(new CgroupMemory(20_000, 8_000, "cgroup memory.limit_in_bytes"), CgroupMemory.Read(files.GetValueOrDefault, Machine));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("garbage\n")]
    [InlineData("0::/../../elsewhere\n")]
    public void Read_NoUsableGroup_IsNull(string? procSelfCgroup) =>
        Assert.Null(CgroupMemory.Read(path => path == "/proc/self/cgroup" ? procSelfCgroup : null, Machine));

    [Fact]
    public void Read_LimitAboveTheMachine_DoesNotBind() =>
        Assert.Null(CgroupMemory.Read(path => path == "/proc/self/cgroup" ? "0::/" : "70000", Machine));

    [Fact]
    public void WithAncestors_NestedPath_GoesUpToTheRoot() =>
        Assert.Equal(["/a/b", "/a", "/"], CgroupPaths.WithAncestors("/a/b"));
}
