using System.Net.Sockets;
using System.Text;

namespace ClusterLlm.ServiceDefaults;

/// <summary>
/// A Unix socket that a host holds open as long as it lives, for processes whose standard input is somebody else's: under Aspire its orchestrator starts them. Nothing is
/// sent. A file in place of a number: a process number is given to others later, and a killed process whose parent does not ask for it keeps its number.
/// </summary>
internal sealed class LifeLine : IDisposable
{
    private const int Waiting = 64;

    /// <summary>Of a socket's path on macOS, without the zero at its end; Linux takes four more.</summary>
    private const int MostPathBytes = 103;

    private readonly Socket _listener;
    private readonly List<Socket> _held = [];
    private readonly Lock _gate = new();
    private bool _ended;

    private LifeLine(Socket listener, string path)
    {
        _listener = listener;
        Path = path;
    }

    /// <summary>Absolute; given to the processes.</summary>
    public string Path { get; }

    /// <summary>Opens it in the home folder; the caller holds the lock of the host, so a file that is there was left by one that was killed.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static LifeLine Open(string home)
    {
        var path = PathFor(home);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.Delete(path);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen(Waiting);
        }
        catch (SocketException failure)
        {
            listener.Dispose();
            throw new IOException($"{path} can't be opened: {failure.Message}", failure);
        }

        var line = new LifeLine(listener, path);
        _ = line.HoldAsync();
        return line;
    }

    /// <summary>The other end, whose reads end when the host does.</summary>
    /// <exception cref="IOException">No host is there.</exception>
    public static Stream Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new IOException($"{path} leads to no host: {failure.Message}", failure);
        }
    }

    /// <summary>Ends it for all who hold the other end, and removes the file.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
            _listener.Dispose();
            _held.ForEach(socket => socket.Dispose());
        }
    }

    /// <summary>In the home folder, or in the temporary one where that path is too long for a socket; stable, so that a killed host leaves one file at most.</summary>
    internal static string PathFor(string home)
    {
        var path = System.IO.Path.GetFullPath(System.IO.Path.Join(home, "run", "apphost.alive"));
        return Encoding.UTF8.GetByteCount(path) <= MostPathBytes
            ? path
            : System.IO.Path.Join(System.IO.Path.GetTempPath(), $"clusterllm-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..16]}");
    }

    private async Task HoldAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync().ConfigureAwait(false);
                lock (_gate)
                {
                    if (_ended)
                    {
                        socket.Dispose();
                        return;
                    }

                    _held.Add(socket);
                }
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // Disposed; a listening socket fails for no other reason.
        }
    }
}
