using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ClusterLlm.Coordinator.Tests.Inference.Fakes;

/// <summary>A request as a real client sent it (ClientSamples/README.md).</summary>
/// <param name="Head">Request line and headers.</param>
/// <param name="RecordedStatus">What the client was answered when it was recorded.</param>
internal sealed partial record ClientSample(string Name, IReadOnlyList<string> Head, string Body, int RecordedStatus)
{
    private const string Separator = "\n---\nHTTP/1.1 ";

    public string Method => Head[0].Split(' ')[0];

    public string Path => Head[0].Split(' ')[1];

    /// <summary>The parsed body; <see langword="null"/> where it is none or broken.</summary>
    public JsonNode? Json => Body.StartsWith('{') && RecordedStatus != 400 ? JsonNode.Parse(Body) : null;

    public bool Streams => (bool?)Json?["stream"] == true;

    public static IReadOnlyList<string> Names() =>
        [.. Directory.EnumerateFiles(Folder, "*.http").Select(file => System.IO.Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    public static ClientSample Load(string name)
    {
        var text = File.ReadAllText(System.IO.Path.Combine(Folder, name)).ReplaceLineEndings("\n");
        var parts = text.Split(Separator, 2);
        var request = parts[0].Split("\n\n", 2);
        var status = int.Parse(parts[1][..3], CultureInfo.InvariantCulture);
        var body = request.Length > 1 ? LeftOutItem().Replace(request[1].Trim(), "") : "";
        return new(name, request[0].Split('\n'), body, status);
    }

    /// <summary>
    /// Sends the recorded headers and body over a socket of its own, in the recorded order and case. Only what must differ is changed: the host, the
    /// length (bodies were formatted when they were written down), and the connection, which is closed so that the answer ends.
    /// </summary>
    public async Task<RawResponse> SendAsync(Uri gateway, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(gateway.Host, gateway.Port, cancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(ToBytes(gateway.Authority), cancellationToken);
        using var received = new MemoryStream();
        await stream.CopyToAsync(received, cancellationToken);
        return RawResponse.Parse(received.ToArray());
    }

    private static string Folder => System.IO.Path.Combine(AppContext.BaseDirectory, "Inference", "ClientSamples");

    /// <summary>Long lists were shortened with a string that says so, which no client sent.</summary>
    [GeneratedRegex(@",\s*""…\(\d+ more left out\)""")]
    private static partial Regex LeftOutItem();

    private byte[] ToBytes(string host)
    {
        var body = Encoding.UTF8.GetBytes(Body);
        var chunked = Head.Any(line => line.StartsWith("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase));
        var head = new StringBuilder();
        foreach (var line in Head)
        {
            head.Append(line.Split(':')[0].ToUpperInvariant() switch
            {
                "HOST" => $"Host: {host}",
                "CONNECTION" => "Connection: close",
                "CONTENT-LENGTH" => $"Content-Length: {body.Length}",
                _ => line,
            }).Append("\r\n");
        }

        if (!Head.Any(line => line.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase)))
        {
            head.Append("Connection: close\r\n");
        }

        head.Append("\r\n");
        return chunked
            ? [.. Encoding.ASCII.GetBytes($"{head}{body.Length:x}\r\n"), .. body, .. "\r\n0\r\n\r\n"u8]
            : [.. Encoding.ASCII.GetBytes(head.ToString()), .. body];
    }
}

/// <summary>An HTTP/1.x response as it came from the socket.</summary>
internal sealed record RawResponse(int Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public static RawResponse Parse(byte[] bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        // An interim "100 Continue" comes before the real head.
        if (text.StartsWith("HTTP/1.1 100", StringComparison.Ordinal))
        {
            text = text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        }

        var parts = text.Split("\r\n\r\n", 2);
        var lines = parts[0].Split("\r\n");
        var headers = lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        var body = headers.TryGetValue("Transfer-Encoding", out var coding) && coding == "chunked" ? Unchunk(parts[1]) : parts[1];
        return new(int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture), headers, body);
    }

    /// <summary>Only for ASCII, where characters and bytes are the same: the fake agent answers in ASCII.</summary>
    private static string Unchunk(string chunked)
    {
        var body = new StringBuilder();
        var position = 0;
        while (true)
        {
            var end = chunked.IndexOf("\r\n", position, StringComparison.Ordinal);
            var length = int.Parse(chunked[position..end], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (length == 0)
            {
                return body.ToString();
            }

            body.Append(chunked, end + 2, length);
            position = end + 2 + length + 2;
        }
    }
}
