using System.Buffers;
using System.Text;
using System.Text.Json;
using ClusterLlm.Coordinator.Inference;

namespace ClusterLlm.Coordinator.Tests.Inference;

public sealed class ChunkPatcherTests
{
    [Theory]
    [InlineData("{}", """{"id":"a"}""")]
    [InlineData("""{"choices":[]}""", """{"id":"a","choices":[]}""")]
    [InlineData("""{"id":"x","object":"o","created":1,"model":"m","usage":{"a":1},"z":"é\n"}""", """{"id":"a","object":"o","z":"é\n"}""")]
    [InlineData("""{"choices":[{"id":"call_1","model":2}]}""", """{"id":"a","choices":[{"id":"call_1","model":2}]}""")]
    [InlineData("{\n  \"a\": [1,\r\n 2]\n}", """{"id":"a","a": [1, 2]}""")]
    public void Write_Chunk_ReplacesOnlyWhatTheGatewayOwns(string chunk, string expected) => Assert.Equal(expected, Patch(chunk));

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("[1]")]
    [InlineData("""{"a":1""")]
    [InlineData("""{"a":1}{"b":2}""")]
    public void Write_NotOneObject_Throws(string chunk) => Assert.ThrowsAny<JsonException>(() => Patch(chunk));

    private static string Patch(string chunk)
    {
        var output = new ArrayBufferWriter<byte>();
        ChunkPatcher.Write(output, """{"id":"a" """u8[..^1], Encoding.UTF8.GetBytes(chunk), "}"u8);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
