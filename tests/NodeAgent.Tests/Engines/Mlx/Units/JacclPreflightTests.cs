using System.Text.Json;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.NodeAgent.Engines.Mlx.Ring;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx.Units;

/// <summary>What can be decided about RDMA without its hardware: the conditions, and the files that MLX would read.</summary>
public sealed class JacclPreflightTests
{
    private static readonly MlxProbeReport WithJaccl = new("3.13.1", "0.32.4", "0.32.2", null, Metal: true, Ring: true, Jaccl: true, System.Collections.Immutable.ImmutableDictionary<string, string>.Empty, [], []);
    private static readonly Version Mac = new(26, 2);
    private static readonly ShardSpec Middle = new(
        "d", 1, "mlx", "/m", "", 1, 8, 8, 512, 1, [new ShardRank("mac-1", new Uri("https://10.0.0.1:7430")), new ShardRank("mac-2", new Uri("https://10.0.0.2:7430")), new ShardRank("mac-3", new Uri("https://10.0.0.3:7430"))], 1, 0, 0);

    private static readonly MlxOptions Cabled = new() { Transport = MlxTransport.Jaccl, RdmaDevices = { ["mac-1"] = "rdma_en5", ["mac-3"] = "rdma_en4" } };

    [Fact]
    public void Check_EverythingThere_HasNothingAgainstIt() => Assert.Null(JacclPreflight.Check(Middle, Cabled, WithJaccl, isMac: true, Mac));

    [Theory]
    [InlineData(false, 26, 2, true, "The transport Jaccl needs macOS 26.2, this is no Mac, version 26.2.")]
    [InlineData(true, 26, 1, true, "The transport Jaccl needs macOS 26.2, this is macOS 26.1.")]
    [InlineData(true, 26, 2, false, "This build of mlx has no JACCL: install the wheel for macOS 26.2.")]
    public void Check_WrongMachine_SaysWhatIsNeeded(bool isMac, int major, int minor, bool jaccl, string expected) =>
        Assert.Equal(expected, JacclPreflight.Check(Middle, Cabled, WithJaccl with { Jaccl = jaccl }, isMac, new Version(major, minor)));

    [Fact]
    public void Check_NoCableToANode_NamesIt()
    {
        var options = new MlxOptions { Transport = MlxTransport.Jaccl, RdmaDevices = { ["mac-1"] = "rdma_en5" } };

        Assert.Equal(
            "Engines:Mlx:RdmaDevices has no device towards mac-3: JACCL needs a cable to every other node (see ibv_devices).",
            JacclPreflight.Check(Middle, options, WithJaccl, isMac: true, Mac));
    }

    [Fact]
    public void Addresses_OwnRow_HasTheDevicesAndTheCoordinatorIsRankZero()
    {
        var folder = Directory.CreateTempSubdirectory("clusterllm-jaccl-");
        var addresses = JacclPreflight.Addresses(Middle, Cabled);

        var variables = addresses.Environment(Middle.Rank, folder.FullName);
        var devices = JsonSerializer.Deserialize<string?[][]>(File.ReadAllText(variables["MLX_IBV_DEVICES"]!))!;
        folder.Delete(recursive: true);

        Assert.Equal("jaccl", addresses.Backend);
        Assert.Equal(["rdma_en5", null, "rdma_en4"], devices[1]);
        Assert.All(Enumerable.Range(0, 3), rank => Assert.Null(devices[rank][rank]));
        Assert.Equal(("1", "10.0.0.1:32323"), (variables["MLX_RANK"], variables["MLX_JACCL_COORDINATOR"]));
        // With a host file MLX would take the ring.
        Assert.False(variables.ContainsKey("MLX_HOSTFILE"));
    }

    [Fact]
    public void Addresses_RankZeroByName_AreRefused()
    {
        var named = Middle with { Ranks = Middle.Ranks.SetItem(0, new ShardRank("mac-1", new Uri("https://mac-1.local:7430"))) };

        Assert.Contains("JACCL needs an IPv4 address there", Assert.Throws<ShardException>(() => JacclPreflight.Addresses(named, Cabled)).Message, StringComparison.Ordinal);
    }
}
