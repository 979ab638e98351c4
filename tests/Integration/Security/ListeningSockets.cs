using System.Globalization;
using System.Net;

namespace ClusterLlm.Integration.Security;

/// <summary>Which TCP sockets a process listens on, from what the kernel tells.</summary>
internal static class ListeningSockets
{
    private const string Listening = "0A";

    public static IReadOnlyList<IPEndPoint> Of(int pid)
    {
        var root = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}");
        if (!Directory.Exists(root))
        {
            // It ended after it was listed.
            return [];
        }

        var own = Directory.GetFiles($"{root}/fd").Select(descriptor => new FileInfo(descriptor).LinkTarget).OfType<string>()
            .Where(target => target.StartsWith("socket:[", StringComparison.Ordinal)).Select(target => target[8..^1]).ToHashSet();
        return
        [
            .. new[] { "tcp", "tcp6" }.SelectMany(table => File.ReadAllLines($"{root}/net/{table}").Skip(1))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields[3] == Listening && own.Contains(fields[9]))
                .Select(fields => Parse(fields[1])),
        ];
    }

    /// <summary><c>0100007F:1CFC</c>: the address in words of the machine's byte order, the port in hexadecimal digits.</summary>
    private static IPEndPoint Parse(string text)
    {
        var parts = text.Split(':');
        var bytes = Convert.FromHexString(parts[0]);
        for (var word = 0; word < bytes.Length; word += 4)
        {
            Array.Reverse(bytes, word, 4);
        }

        return new IPEndPoint(new IPAddress(bytes), int.Parse(parts[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
