using System.Net;
using ClusterLlm.AppHost.Commands;

namespace ClusterLlm.AppHost.Tests.Commands;

public sealed class JoinTokenTests : IDisposable
{
    private const string Secret = "cllm1-abcdefgh-qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq-rest";

    private readonly FakeCluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [Theory]
    [InlineData("10.0.0.5:7421", "Agents reach the Coordinator at 10.0.0.5:7421.")]
    [InlineData("127.0.0.1:7421", "CLUSTERLLM__Cluster__GrpcAddress=0.0.0.0")]
    public async Task Run_Defaults_ShowsTheTokenInTheResultOnly(string address, string reach)
    {
        _cluster.Answer("POST /api/tokens", $$"""{"id":"abcdefgh","token":"{{Secret}}","expiresAt":"2026-11-24T13:00:00Z","uses":1,"authority":"sha256:aa","addresses":["{{address}}"]}""");

        var outcome = await RunAsync(new() { ["ttlSeconds"] = "3600", ["uses"] = "1", ["nodeId"] = "" });

        Assert.Equal((true, "Token abcdefgh is made; its text is shown this once."), (outcome.Success, outcome.Message));
        Assert.Equal("""POST /api/tokens {"ttlSeconds":3600,"uses":1,"nodeId":null,"note":"dashboard"}""", Assert.Single(_cluster.Requests));
        Assert.Contains($"\n{Secret}\n", outcome.Markdown!.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("1 use(s) until 2026-11-24 13:00:00Z", outcome.Markdown, StringComparison.Ordinal);
        Assert.Contains(reach, outcome.Markdown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WhatThePersonChose_IsSentAndARefusalIsToldInWords()
    {
        _cluster.Answer("POST /api/tokens", """{"title":"Invalid token request","status":400,"detail":"The node id '-x' is none."}""", HttpStatusCode.BadRequest);

        var refused = await RunAsync(new() { ["ttlSeconds"] = "86400", ["uses"] = "3", ["nodeId"] = " -x " });

        Assert.False(refused.Success);
        Assert.Contains("'-x'", refused.Message, StringComparison.Ordinal);
        Assert.Equal("""POST /api/tokens {"ttlSeconds":86400,"uses":3,"nodeId":"-x","note":"dashboard"}""", Assert.Single(_cluster.Requests));
    }

    [Theory]
    [InlineData("ttlSeconds", "5", "Usable for is \"5\"")]
    [InlineData("uses", "0", "from 1 to 1000")]
    public async Task Run_BadValue_AsksNobody(string argument, string value, string expected)
    {
        var outcome = await RunAsync(new() { [argument] = value });

        Assert.Contains(expected, outcome.FieldErrors[argument], StringComparison.Ordinal);
        Assert.Empty(_cluster.Requests);
    }

    private Task<CommandOutcome> RunAsync(Dictionary<string, string?> values) =>
        new CommandRunner(() => _cluster.Client, TimeProvider.System).RunAsync(ClusterCommands.Find(ClusterCommands.JoinToken), "", values, TestContext.Current.CancellationToken);
}
