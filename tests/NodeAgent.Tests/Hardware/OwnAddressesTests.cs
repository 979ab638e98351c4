using System.Net;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hardware.Mac;

namespace ClusterLlm.NodeAgent.Tests.Hardware;

public sealed class OwnAddressesTests
{
    private static readonly Uri All = new("https://0.0.0.0:7430");

    private static readonly InterfaceAddress[] Mac =
    [
        new("lo0", IPAddress.Parse("127.0.0.1")),
        new("lo0", IPAddress.IPv6Loopback),
        new("en0", IPAddress.Parse("192.168.1.20")),
        new("en0", IPAddress.Parse("fe80::1%4")),
        new("en0", IPAddress.Parse("fd00::20")),
        new("bridge0", IPAddress.Parse("169.254.7.1")),
        new("awdl0", IPAddress.Parse("169.254.9.9")),
        new("utun8", IPAddress.Parse("100.64.0.7")),
        new("docker0", IPAddress.Parse("172.17.0.1")),
    ];

    // Which of them run over what, as the recorded outputs of that Mac are read; its bridge is active here.
    private static readonly NetworkLink[] Links =
    [
        .. MacLinks.Active(Samples.Read("ifconfig_m_laptop_14.6.txt"), MacLinks.HardwarePorts(Samples.Read("networksetup_listallhardwareports_m5max.txt"))),
        new("bridge0", LinkKind.Thunderbolt),
    ];

    [Fact]
    public void Of_ListeningOnAll_IsEveryAddressWithItsKindButNotThoseThatLeadNowhere() => Assert.Equal(
        [
            ("https://127.0.0.1:7430/", LinkKind.Loopback, "lo0"),
            ("https://192.168.1.20:7430/", LinkKind.Wifi, "en0"),
            ("https://169.254.7.1:7430/", LinkKind.Thunderbolt, "bridge0"),
            ("https://100.64.0.7:7430/", LinkKind.Unknown, "utun8"),
        ],
        OwnAddresses.Of(All, null, Mac, Links).Select(one => (one.Url.ToString(), one.Link.Kind, one.Link.Interface)));

    [Fact]
    public void Of_ListeningOnAllOfIPv6_HasThoseToo() => Assert.Contains(
        OwnAddresses.Of(new Uri("https://[::]:7430"), null, Mac, Links), one => one.Url.ToString() == "https://[fd00::20]:7430/" && one.Link.Kind == LinkKind.Wifi);

    [Fact]
    public void Of_OneAddressOrAnAdvertisedOne_IsOnlyThat()
    {
        Assert.Equal(new Uri("https://127.0.0.1:7431"), Assert.Single(OwnAddresses.Of(new Uri("https://127.0.0.1:7431"), null, Mac, Links)).Url);
        Assert.Equal(new Uri("https://mini.example:7430"), Assert.Single(OwnAddresses.Of(All, new Uri("https://mini.example:7430"), Mac, Links)).Url);
    }

    [Fact]
    public void Read_ThisMachine_HasItsLoopback() => Assert.Contains(OwnAddresses.Read(), one => IPAddress.IsLoopback(one.Address));
}
