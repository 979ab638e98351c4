using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>A line of the server's event stream that means something.</summary>
internal abstract record ServerLine
{
    private ServerLine()
    {
    }

    /// <summary><c>: keepalive 28/29</c>: a step of the prefill; counts only what was not cached.</summary>
    internal sealed record Keepalive(int Processed, int Total) : ServerLine;

    /// <summary><c>data: {…}</c>.</summary>
    internal sealed record Data(ReadOnlyMemory<byte> Json) : ServerLine;

    /// <summary><c>data: [DONE]</c>: the only sign that an answer is complete; a server that dies also closes the connection.</summary>
    internal sealed record Done : ServerLine;
}

/// <summary>Reads the server's event stream. .NET's own parser drops comments, which tell how far the prefill is.</summary>
internal static class ServerLines
{
    private const int LongestLine = 16 * 1024 * 1024;

    /// <exception cref="InvalidDataException">A line is longer than anything the server writes.</exception>
    public static async IAsyncEnumerable<ServerLine> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var buffer = result.Buffer;
            List<ServerLine> lines = [];
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                if (Parse(buffer.Slice(0, end)) is { } line)
                {
                    lines.Add(line);
                }

                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            foreach (var line in lines)
            {
                yield return line;
            }

            if (result.IsCompleted)
            {
                break;
            }

            if (buffer.Length > LongestLine)
            {
                throw new InvalidDataException($"A line of the server's stream is longer than {LongestLine} bytes.");
            }
        }

        await reader.CompleteAsync().ConfigureAwait(false);
    }

    private static ServerLine? Parse(ReadOnlySequence<byte> sequence)
    {
        // Copied: the line is used after the buffer has gone on.
        ReadOnlyMemory<byte> line = sequence.ToArray();
        var text = line.Span.TrimEnd((byte)'\r');
        if (text.StartsWith("data: "u8))
        {
            return text[6..].SequenceEqual("[DONE]"u8) ? new ServerLine.Done() : new ServerLine.Data(line[6..text.Length]);
        }

        return text.StartsWith(": keepalive "u8) ? ParseKeepalive(text[12..]) : null;
    }

    private static ServerLine.Keepalive? ParseKeepalive(ReadOnlySpan<byte> counts) =>
        Utf8Parser.TryParse(counts, out int processed, out var used) && used < counts.Length && counts[used] == '/'
        && Utf8Parser.TryParse(counts[(used + 1)..], out int total, out _)
            ? new ServerLine.Keepalive(processed, total)
            : null;
}
