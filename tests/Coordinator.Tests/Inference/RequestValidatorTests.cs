using System.Text.Json;
using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Protos.V1;

namespace ClusterLlm.Coordinator.Tests.Inference;

public sealed class RequestValidatorTests
{
    private const int Vocabulary = 512;

    [Theory]
    [InlineData("""{"messages":[]}""", "model")]
    [InlineData("""{"model":7,"messages":[]}""", "model")]
    [InlineData("""{"model":"","messages":[]}""", "model")]
    [InlineData("""{"model":"demo"}""", "messages")]
    [InlineData("""{"model":"demo","messages":"hi"}""", "messages")]
    [InlineData("""{"model":"demo","messages":[]}""", "messages")]
    [InlineData("""{"model":"demo","messages":[1]}""", "messages[0]")]
    [InlineData("""{"model":"demo","messages":[{"content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"model":"demo","messages":[{"role":"robot","content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":"x"},{"role":"user"}]}""", "messages[1].content")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":5}]}""", "messages[0].content")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":[{"text":"x"}]}]}""", "messages[0].content[0].type")]
    [InlineData("""{"model":"demo","messages":[{"role":"user","content":[{"type":"text"}]}]}""", "messages[0].content[0].text")]
    [InlineData("""{"model":"demo","messages":[{"role":"assistant","tool_calls":{}}]}""", "messages[0].tool_calls")]
    [InlineData("""{"model":"demo","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{}}}]}]}""", "messages[0].tool_calls[0].function.arguments")]
    public void Check_WrongBasics_NamesTheField(string body, string field) => Assert.Equal(field, Check(body)?.Param);

    [Theory]
    [InlineData("temperature", "-0.1")]
    [InlineData("temperature", "2.5")]
    [InlineData("temperature", "1e999")]
    [InlineData("temperature", "\"hot\"")]
    [InlineData("top_p", "1.01")]
    [InlineData("top_p", "-1")]
    [InlineData("top_k", "-2")]
    [InlineData("top_k", "1.5")]
    [InlineData("min_p", "2")]
    [InlineData("frequency_penalty", "-2.5")]
    [InlineData("presence_penalty", "3")]
    [InlineData("repetition_penalty", "0")]
    [InlineData("repetition_penalty", "true")]
    [InlineData("max_tokens", "0")]
    [InlineData("max_tokens", "-5")]
    [InlineData("max_completion_tokens", "\"8\"")]
    [InlineData("n", "0")]
    [InlineData("n", "129")]
    [InlineData("seed", "0.5")]
    [InlineData("seed", "99999999999999999999")]
    [InlineData("stream", "\"true\"")]
    [InlineData("stream_options", "true")]
    [InlineData("stop", "\"\"")]
    [InlineData("stop", "7")]
    [InlineData("stop", """["1","2","3","4","5","6","7","8","9"]""")]
    [InlineData("logprobs", "1")]
    [InlineData("top_logprobs", "21")]
    [InlineData("top_logprobs", "3")]
    [InlineData("logit_bias", "[]")]
    [InlineData("logit_bias", """{"512":1}""")]
    [InlineData("logit_bias", """{"-1":1}""")]
    [InlineData("logit_bias", """{"two":1}""")]
    [InlineData("tools", "{}")]
    [InlineData("tool_choice", "\"maybe\"")]
    [InlineData("tool_choice", "1")]
    [InlineData("parallel_tool_calls", "1")]
    [InlineData("response_format", "\"json\"")]
    public void Check_WrongValue_NamesFieldAndValue(string field, string value)
    {
        var fault = Check(Chat($",\"{field}\":{value}"));

        Assert.NotNull(fault);
        Assert.Equal((400, field), (fault.Status, fault.Param));
        Assert.Equal(ApiError.InvalidRequest, fault.Type);
        Assert.Contains(field, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""","stop":["a",""]""", "stop[1]")]
    [InlineData(""","logit_bias":{"5":101}""", "logit_bias.5")]
    [InlineData(""","logit_bias":{"5":"x"}""", "logit_bias.5")]
    [InlineData(""","stream_options":{"include_usage":1}""", "stream_options.include_usage")]
    [InlineData(""","tools":[{"type":"function"}]""", "tools[0].function")]
    [InlineData(""","tools":[{"type":"function","function":{}}]""", "tools[0].function.name")]
    [InlineData(""","response_format":{"type":"json_schema"}""", "response_format.json_schema")]
    public void Check_WrongInnerValue_NamesThePath(string members, string path) => Assert.Equal(path, Check(Chat(members))?.Param);

    [Theory]
    [InlineData("")]
    [InlineData(""","temperature":0,"top_p":1,"top_k":-1,"min_p":0,"n":1,"seed":-3,"max_tokens":16.0""")]
    [InlineData(""","temperature":null,"seed":null,"stop":null,"tools":null,"logprobs":null,"stream":null,"stream_options":null""")]
    [InlineData(""","stop":[],"logit_bias":{"511":100,"50256":-100},"logprobs":true,"top_logprobs":20""")]
    [InlineData(""","custom_flag":{"a":[1]},"metadata":{},"service_tier":"auto","reasoning_effort":"low","store":true""")]
    [InlineData(""","top_logprobs":0""")]
    public void Check_AllowedValues_FindsNoFault(string members) => Assert.Null(Check(Chat(members)));

    [Theory]
    [InlineData("\"Once\"", null)]
    [InlineData("\"\"", null)]
    [InlineData("""["a","b"]""", null)]
    [InlineData("[1,511]", null)]
    [InlineData("[[1],[2,3]]", null)]
    [InlineData("[]", "prompt")]
    [InlineData("7", "prompt")]
    [InlineData("[1,512]", "prompt[1]")]
    [InlineData("[1,-1]", "prompt[1]")]
    [InlineData("""["a",1]""", "prompt[1]")]
    [InlineData("[[1],[]]", "prompt[1]")]
    [InlineData("[[1,900]]", "prompt[0][1]")]
    public void Check_Prompt_TakesTextAndTokens(string prompt, string? field) =>
        Assert.Equal(field, Check($$"""{"model":"demo","prompt":{{prompt}}}""", RequestKind.Completion)?.Param);

    [Fact]
    public void Check_NoObject_SaysWhatItIs() => Assert.Contains("[1,2]", Check("[1,2]")?.Message, StringComparison.Ordinal);

    [Fact]
    public void Check_HalfASurrogatePair_IsNoText() => Assert.Equal("model", Check("""{"model":"\ud800","messages":[]}""")?.Param);

    [Fact]
    public void Check_LongValue_IsShownShortened() =>
        Assert.True(Check(Chat($",\"stop\":[{string.Join(',', Enumerable.Repeat(1, 5))},\"{new string('x', 500)}\"]"))?.Message.Length < 200);

    [Fact]
    public void Read_Body_TakesWhatTheGatewayNeeds()
    {
        using var json = JsonDocument.Parse(Chat(""","stream":true,"stream_options":{"include_usage":true},"max_tokens":9,"max_completion_tokens":7"""));

        Assert.Equal(new InferenceRequest(RequestKind.ChatCompletion, "demo", true, true, 7), RequestValidator.Read(json.RootElement, RequestKind.ChatCompletion));
    }

    private static string Chat(string members) => $$"""{"model":"demo","messages":[{"role":"user","content":"x"}]{{members}}}""";

    private static ApiError? Check(string body, RequestKind kind = RequestKind.ChatCompletion)
    {
        using var json = JsonDocument.Parse(body);
        return RequestValidator.Check(json.RootElement, kind, Vocabulary);
    }
}
