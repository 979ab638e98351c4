using System.Net;
using System.Net.Sockets;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>Asks the system about ports on the loopback address.</summary>
internal static class LoopbackPort
{
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
