using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Renci.SshNet;
using Renci.SshNet.Security;

namespace ClusterLlm.Coordinator.Nodes.Adding.Ssh;

/// <summary>Keys that an SSH agent holds (draft-ietf-sshm-ssh-agent): it signs, the key itself never leaves it.</summary>
internal static class SshAgentKeys
{
    /// <summary>Keys of the agent at <c>SSH_AUTH_SOCK</c>; none when there is no agent that answers.</summary>
    public static IReadOnlyList<IPrivateKeySource> FromEnvironment() =>
        Environment.GetEnvironmentVariable("SSH_AUTH_SOCK") is { Length: > 0 } socket ? From(socket) : [];

    /// <param name="socketPath">The agent's Unix socket.</param>
    public static IReadOnlyList<IPrivateKeySource> From(string socketPath)
    {
        try
        {
            return [.. SshAgentWire.Identities(socketPath).Select(key => new AgentKey(socketPath, key))];
        }
        catch (Exception e) when (e is SocketException or IOException or InvalidDataException)
        {
            return [];
        }
    }

    private sealed class AgentKey(string socketPath, byte[] publicKey) : IPrivateKeySource
    {
        public IReadOnlyCollection<HostAlgorithm> HostKeyAlgorithms { get; } = [.. Algorithms(publicKey).Select(algorithm => new AgentAlgorithm(algorithm.Name, algorithm.Flags, socketPath, publicKey))];

        // RSA keys sign with SHA-512 or SHA-256 by flag; SHA-1 is not offered any more. Other keys have one algorithm.
        private static IEnumerable<(string Name, uint Flags)> Algorithms(byte[] publicKey) => SshAgentWire.TypeOf(publicKey) switch
        {
            "ssh-rsa" => [("rsa-sha2-512", 4), ("rsa-sha2-256", 2)],
            var type => [(type, 0)],
        };
    }

    private sealed class AgentAlgorithm(string name, uint flags, string socketPath, byte[] publicKey) : HostAlgorithm(name)
    {
        public override byte[] Data => publicKey;

        public override byte[] Sign(byte[] data) => SshAgentWire.Sign(socketPath, publicKey, data, flags);

        /// <summary>Only for keys of servers, which an agent has none of.</summary>
        public override bool VerifySignature(byte[] data, byte[] signature) => false;
    }
}

/// <summary>Messages to an SSH agent: a length, a type byte, and strings that have a length each; big-endian.</summary>
internal static class SshAgentWire
{
    private const byte RequestIdentities = 11;
    private const byte IdentitiesAnswer = 12;
    private const byte SignRequest = 13;
    private const byte SignResponse = 14;

    // Agents hold tens of keys of a few hundred bytes.
    private const int MostBytes = 256 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static IReadOnlyList<byte[]> Identities(string socketPath)
    {
        var answer = new Reader(Call(socketPath, [RequestIdentities], IdentitiesAnswer));
        var keys = new List<byte[]>();
        for (var left = answer.Number(); left > 0; left--)
        {
            keys.Add(answer.Text());
            answer.Text();
        }

        return keys;
    }

    public static byte[] Sign(string socketPath, byte[] publicKey, byte[] data, uint flags)
    {
        var request = new byte[1 + 4 + publicKey.Length + 4 + data.Length + 4];
        request[0] = SignRequest;
        var rest = Write(Write(request.AsSpan(1), publicKey), data);
        BinaryPrimitives.WriteUInt32BigEndian(rest, flags);
        return new Reader(Call(socketPath, request, SignResponse)).Text();
    }

    public static string TypeOf(byte[] publicKey) => Encoding.ASCII.GetString(new Reader(publicKey).Text());

    private static Span<byte> Write(Span<byte> to, byte[] text)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, (uint)text.Length);
        text.CopyTo(to[4..]);
        return to[(4 + text.Length)..];
    }

    private static byte[] Call(string socketPath, byte[] request, byte expected)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        {
            ReceiveTimeout = (int)Limit.TotalMilliseconds,
            SendTimeout = (int)Limit.TotalMilliseconds,
        };
        socket.Connect(new UnixDomainSocketEndPoint(socketPath));
        using var stream = new NetworkStream(socket);
        var framed = new byte[4 + request.Length];
        Write(framed, request);
        stream.Write(framed);
        var length = new byte[4];
        stream.ReadExactly(length);
        var size = BinaryPrimitives.ReadUInt32BigEndian(length);
        if (size is 0 or > MostBytes)
        {
            throw new InvalidDataException($"The SSH agent announces an answer of {size} bytes.");
        }

        var answer = new byte[size];
        stream.ReadExactly(answer);
        return answer[0] == expected ? answer[1..] : throw new InvalidDataException($"The SSH agent refuses (message {answer[0]}).");
    }

    private sealed class Reader(byte[] data)
    {
        private int _at;

        public uint Number()
        {
            Need(4);
            _at += 4;
            return BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(_at - 4));
        }

        public byte[] Text()
        {
            var length = (int)Math.Min(Number(), int.MaxValue);
            Need(length);
            _at += length;
            return data[(_at - length).._at];
        }

        private void Need(int bytes)
        {
            if (bytes > data.Length - _at)
            {
                throw new InvalidDataException("The SSH agent's answer is cut off.");
            }
        }
    }
}
