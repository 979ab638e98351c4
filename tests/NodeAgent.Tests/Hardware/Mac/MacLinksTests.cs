using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hardware.Mac;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Mac;

public sealed class MacLinksTests
{
    [Fact]
    public void HardwarePorts_Recorded_NamesKinds()
    {
        var ports = MacLinks.HardwarePorts(Samples.Read("networksetup_listallhardwareports_m5max.txt"));

        Assert.Equal(
            new Dictionary<string, LinkKind>
            {
                ["en3"] = LinkKind.Ethernet,
                ["bridge0"] = LinkKind.Thunderbolt,
                ["en0"] = LinkKind.Wifi,
                ["en1"] = LinkKind.Thunderbolt,
                ["en6"] = LinkKind.Thunderbolt,
                ["en2"] = LinkKind.Thunderbolt,
            },
            ports);
    }

    [Fact]
    public void Active_RecordedLaptop_LeavesOutInactivePortsTunnelsAndRadioLinks()
    {
        var ports = MacLinks.HardwarePorts(Samples.Read("networksetup_listallhardwareports_m5max.txt"));

        Assert.Equal(
            [new NetworkLink("lo0", LinkKind.Loopback), new NetworkLink("en0", LinkKind.Wifi)],
            MacLinks.Active(Samples.Read("ifconfig_m_laptop_14.6.txt"), ports));
    }

    [Fact]
    public void Active_BridgeWithoutPort_IsWhatItsMembersAre()
    {
        const string ifconfig = """
            bridge1: flags=8863<UP,BROADCAST,RUNNING> mtu 1500
            	member: en1 flags=3<LEARNING,DISCOVER>
            	status: active
            """;
        var ports = MacLinks.HardwarePorts(Samples.Read("networksetup_listallhardwareports_m5max.txt"));

        Assert.Equal([new NetworkLink("bridge1", LinkKind.Thunderbolt)], MacLinks.Active(ifconfig, ports));
    }

    [Fact]
    public void Parse_RecordedLaptop_ReadsBridgeMembers()
    {
        var bridge = IfconfigOutput.Parse(Samples.Read("ifconfig_m_laptop_14.6.txt")).Single(item => item.Name == "bridge0");

        Assert.False(bridge.IsActive);
        Assert.Equal(["en1", "en2", "en3"], bridge.Members);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ifconfig: no such file")]
    public void Active_NoOutput_IsEmpty(string? output) => Assert.Empty(MacLinks.Active(output, MacLinks.HardwarePorts(output)));
}
