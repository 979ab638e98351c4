namespace ClusterLlm.NodeAgent.Hardware.Linux;

/// <summary>What a Linux network interface runs over, by /sys/class/net/NAME.</summary>
internal static class LinuxLinks
{
    // ARPHRD_ETHER and ARPHRD_LOOPBACK of linux/if_arp.h.
    private const string Ethernet = "1";
    private const string Loopback = "772";

    /// <param name="type">Content of <c>type</c>.</param>
    /// <param name="isWireless">The folder <c>wireless</c> exists.</param>
    /// <param name="uevent">Content of <c>uevent</c>; Wi-Fi drivers write <c>DEVTYPE=wlan</c>, USB4 networking names its interfaces thunderboltN.</param>
    public static LinkKind Kind(string? type, bool isWireless, string? uevent) => type?.Trim() switch
    {
        Loopback => LinkKind.Loopback,
        Ethernet when isWireless || Has(uevent, "DEVTYPE=wlan") => LinkKind.Wifi,
        Ethernet when Has(uevent, "INTERFACE=thunderbolt") => LinkKind.Thunderbolt,
        Ethernet => LinkKind.Ethernet,
        _ => LinkKind.Unknown,
    };

    private static bool Has(string? uevent, string text) => uevent?.Contains(text, StringComparison.Ordinal) == true;
}
