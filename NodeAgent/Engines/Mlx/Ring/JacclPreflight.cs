using System.Net;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>
/// RDMA over Thunderbolt 5. Not verified on hardware: written after MLX's source. It needs macOS 26.2, <c>rdma_ctl enable</c> in recovery mode, an IPv4
/// address on each cable and no Thunderbolt bridge; its bytes can't go through the agents, so the cables must be trusted.
/// </summary>
internal static class JacclPreflight
{
    private static readonly Version FirstMac = new(26, 2);

    /// <returns>What stands against it; null when nothing that can be seen from here does.</returns>
    public static string? Check(ShardSpec spec, MlxOptions options, MlxProbeReport report, bool isMac, Version system)
    {
        if (!isMac || system < FirstMac)
        {
            return $"The transport Jaccl needs macOS {FirstMac}, this is {(isMac ? "macOS" : "no Mac, version")} {system}.";
        }

        if (!report.Jaccl)
        {
            return "This build of mlx has no JACCL: install the wheel for macOS 26.2.";
        }

        var missing = spec.Ranks.Where((rank, index) => index != spec.Rank && !options.RdmaDevices.ContainsKey(rank.NodeId)).Select(rank => rank.NodeId).ToArray();
        return missing.Length == 0
            ? null
            : $"{MlxOptions.SectionName}:RdmaDevices has no device towards {string.Join(", ", missing)}: JACCL needs a cable to every other node (see ibv_devices).";
    }

    /// <summary>Only this rank's row of the devices is known here, and only it is used.</summary>
    public static RingAddresses Addresses(ShardSpec spec, MlxOptions options)
    {
        var rows = Enumerable.Range(0, spec.WorldSize).Select(row => Enumerable.Range(0, spec.WorldSize).Select(column =>
            row == column ? null : row == spec.Rank ? options.RdmaDevices[spec.Ranks[column].NodeId] : "unknown").ToArray()).ToArray();
        var first = spec.Ranks[0].Url.Host;
        return IPAddress.TryParse(first, out var address)
            ? new RingAddresses(spec.WorldSize, null, null, new JacclAddresses(rows, new IPEndPoint(address, options.DirectPort)))
            : throw new ShardException($"Rank 0 is reached at {spec.Ranks[0].Url}: JACCL needs an IPv4 address there.");
    }
}
