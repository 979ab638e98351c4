using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Ring;

/// <summary>Where a rank listens and where it finds its right neighbour; MLX uses only these two rows of its host file.</summary>
/// <param name="Own">Null for a rank without a ring.</param>
/// <param name="Right">Of rank (r + 1) mod N.</param>
internal sealed record RingAddresses(int WorldSize, IPEndPoint? Own, IPEndPoint? Right, JacclAddresses? Jaccl = null)
{
    public static RingAddresses None { get; } = new(1, null, null);

    public string Backend => Jaccl is null ? "ring" : "jaccl";

    /// <summary>Writes the files that MLX reads into <paramref name="folder"/> and returns the variables that name them.</summary>
    public ImmutableDictionary<string, string?> Environment(int rank, string folder)
    {
        var variables = ImmutableDictionary<string, string?>.Empty;
        if (WorldSize == 1)
        {
            return variables;
        }

        variables = variables.Add("MLX_RANK", rank.ToString(CultureInfo.InvariantCulture));
        if (Jaccl is { } jaccl)
        {
            // Never both: with a host file MLX takes the ring.
            var devices = Path.Combine(folder, "devices.json");
            File.WriteAllText(devices, JsonSerializer.Serialize(jaccl.Devices));
            return variables.Add("MLX_IBV_DEVICES", devices).Add("MLX_JACCL_COORDINATOR", jaccl.Coordinator.ToString());
        }

        var hosts = Path.Combine(folder, "hosts.json");
        File.WriteAllText(hosts, JsonSerializer.Serialize(Rows(rank)));
        return variables.Add("MLX_HOSTFILE", hosts);
    }

    private string[][] Rows(int rank) =>
    [
        .. Enumerable.Range(0, WorldSize).Select(row => new[]
        {
            row == rank ? Own!.ToString() : row == (rank + 1) % WorldSize ? Right!.ToString() : "127.0.0.1:1",
        }),
    ];
}

/// <summary>What JACCL needs; not verified on hardware.</summary>
/// <param name="Devices">N × N names of RDMA devices, null on the diagonal.</param>
/// <param name="Coordinator">Where rank 0 listens for the exchange of queue pairs.</param>
internal sealed record JacclAddresses(string?[][] Devices, IPEndPoint Coordinator);
