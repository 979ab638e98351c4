using System.Buffers;
using System.Text.Json;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>Puts the gateway's own members into an agent's chunk without building an object from it: this runs once per token.</summary>
internal static class ChunkPatcher
{
    /// <summary>
    /// Writes <paramref name="head"/>, then the members of <paramref name="chunk"/> as they are except those that the gateway owns (<c>id</c>,
    /// <c>created</c>, <c>model</c>, <c>usage</c>), then <paramref name="tail"/>.
    /// </summary>
    /// <param name="head">The beginning of a JSON object up to its last own value, for example <c>{"id":"a"</c>.</param>
    /// <param name="chunk">A JSON object, UTF-8.</param>
    /// <param name="tail">What ends the object, for example <c>}</c>.</param>
    /// <exception cref="JsonException"><paramref name="chunk"/> is not one JSON object.</exception>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> head, ReadOnlySpan<byte> chunk, ReadOnlySpan<byte> tail)
    {
        var reader = new Utf8JsonReader(chunk);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("The chunk is not a JSON object.");
        }

        // The worst case at once: one request for memory per token instead of one per member.
        var span = output.GetSpan(head.Length + chunk.Length + tail.Length + 1);
        head.CopyTo(span);
        var written = head.Length;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var owned = IsOwned(ref reader);
            var start = (int)reader.TokenStartIndex;
            reader.Read();
            reader.Skip();
            if (!owned)
            {
                span[written++] = (byte)',';
                written += CopyOnOneLine(chunk[start..(int)reader.BytesConsumed], span[written..]);
            }
        }

        // Anything behind the object is an error that the reader finds here.
        if (reader.Read())
        {
            throw new JsonException("The chunk holds more than one JSON value.");
        }

        tail.CopyTo(span[written..]);
        output.Advance(written + tail.Length);
    }

    private static bool IsOwned(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("id"u8) || reader.ValueTextEquals("created"u8) || reader.ValueTextEquals("model"u8) || reader.ValueTextEquals("usage"u8);

    /// <summary>A line break in JSON can only stand between tokens, and would end the line of a server-sent event.</summary>
    private static int CopyOnOneLine(ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (!source.ContainsAny((byte)'\n', (byte)'\r'))
        {
            source.CopyTo(target);
            return source.Length;
        }

        var written = 0;
        foreach (var value in source)
        {
            if (value is not ((byte)'\n' or (byte)'\r'))
            {
                target[written++] = value;
            }
        }

        return written;
    }
}
