using System.Net;
using System.Net.NetworkInformation;

namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class OwnInterfacesTests
{
    [Fact]
    public void Select_ThisMachine_HasALoopbackAddress() =>
        Assert.Contains(OwnInterfaces.Select(network => network.GetIPProperties().UnicastAddresses.Select(address => address.Address)), IPAddress.IsLoopback);

    [Fact]
    public void Read_InterfaceGoesMeanwhile_IsReadAgain()
    {
        var readings = 0;

        var read = OwnInterfaces.Read(() => ++readings < 3 ? throw new ArgumentException("An invalid IP address was specified.") : (int[])[1, 2]);

        Assert.Equal([1, 2], read);
        Assert.Equal(3, readings);
    }

    [Fact]
    public void Read_CannotBeRead_FailsInTheEnd() =>
        Assert.Throws<NetworkInformationException>(() => OwnInterfaces.Read<int>(() => throw new NetworkInformationException(13)));
}
