using System.Text;
using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Protos.V1;
using FsCheck.Xunit;

namespace ClusterLlm.Coordinator.Tests.Inference;

/// <summary>Whatever a client sends, reading it gives a request or an error, never an exception.</summary>
public sealed class RequestFuzzTests
{
    private const string Chat = """
        {"model":"demo","messages":[{"role":"user","content":[{"type":"text","text":"é"}]},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]}],
        "temperature":0.5,"stop":["a"],"logit_bias":{"5":1},"logprobs":true,"top_logprobs":2,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto",
        "response_format":{"type":"json_schema","json_schema":{}},"stream":true,"stream_options":{"include_usage":true},"max_tokens":5,"seed":1,"n":1}
        """;

    private const string Completion = """{"model":"demo","prompt":[[1,2],[3]],"echo":false,"logprobs":1,"max_tokens":5,"stop":"x","suffix":null}""";

    private static readonly string[] Values = ["null", "true", "-1", "1e400", "[]", "{}", "\"\\ud800\"", "{\"\\ud800\":1}", "[null]", "[[]]", "\"\""];

    /// <summary>Bytes of a good body are replaced.</summary>
    [Property(MaxTest = 500)]
    public bool Read_BytesChanged_NeverThrows(int seed) => Survives(random =>
    {
        var body = Encoding.UTF8.GetBytes(Pick(random));
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            body[random.Next(body.Length)] = (byte)random.Next(256);
        }

        return body;
    }, seed);

    /// <summary>A value of a good body is replaced by one of another kind.</summary>
    [Property(MaxTest = 500)]
    public bool Read_ValuesReplaced_NeverThrows(int seed) => Survives(random =>
    {
        var body = Pick(random);
        var colons = Enumerable.Range(0, body.Length).Where(position => body[position] == ':').ToList();
        var start = colons[random.Next(colons.Count)] + 1;
        var end = body.IndexOfAny([',', '}', ']'], start);
        return Encoding.UTF8.GetBytes(body[..start] + Values[random.Next(Values.Length)] + body[end..]);
    }, seed);

    private static string Pick(Random random) => random.Next(2) == 0 ? Chat : Completion;

    private static bool Survives(Func<Random, byte[]> make, int seed)
    {
        var body = make(new Random(seed));
        foreach (var kind in (RequestKind[])[RequestKind.ChatCompletion, RequestKind.Completion])
        {
            using var json = RequestBody.Parse(body, out var error);
            if (json is null)
            {
                Assert.Equal(400, error?.Status);
            }
            else if (RequestValidator.Check(json.RootElement, kind, 512) is null)
            {
                Assert.NotEmpty(RequestValidator.Read(json.RootElement, kind).Model);
            }
        }

        return true;
    }
}
