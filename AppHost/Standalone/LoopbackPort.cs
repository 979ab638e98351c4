using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>Asks the system about ports on the loopback address.</summary>
internal static class LoopbackPort
{
    // Below what Linux (32768 and up) and macOS (49152 and up) hand out by themselves: between choice and use no socket that asks for any port gets it.
    private const int First = 20_000;
    private const int Last = 29_999;
    private const int Attempts = 200;

    /// <summary>A port that nobody listens on now, for a process that must be told one beforehand.</summary>
    /// <exception cref="IOException">Nearly all ports of the range are taken.</exception>
    public static int FindFree() => FindFree(1)[0];

    /// <summary>Ports that differ from each other and that nobody listens on now.</summary>
    /// <exception cref="IOException">Nearly all ports of the range are taken.</exception>
    public static IReadOnlyList<int> FindFree(int count)
    {
        var found = new List<int>(count);
        for (var attempt = 0; attempt < Attempts && found.Count < count; attempt++)
        {
            var port = RandomNumberGenerator.GetInt32(First, Last + 1);
            if (!found.Contains(port) && IsFree(port))
            {
                found.Add(port);
            }
        }

        return found.Count == count
            ? found
            : throw new IOException($"Of {Attempts} ports tried between {First} and {Last} on 127.0.0.1 {found.Count} are free, and {count} are needed. End what listens there.");
    }

    public static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
