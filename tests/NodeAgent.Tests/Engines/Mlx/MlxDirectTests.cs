using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ClusterLlm.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>The transport <c>Direct</c>: ranks connect to each other over the link that the settings name, and the agents carry nothing.</summary>
[Collection(MlxProcesses.Name)]
public sealed class MlxDirectTests(ITestOutputHelper output)
{
    /// <summary>Both ends of a link of its own: not the address that the agents talk over.</summary>
    private static readonly string[] Link = ["127.0.7.1", "127.0.7.2"];

    [Fact(Timeout = 240_000)]
    public async Task Launch_DirectLink_AnswersRightAndGoesOverTheLinkOnly()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var port = FreePort().ToString(CultureInfo.InvariantCulture);
        await using var cluster = await MlxCluster.StartAsync([.. Link.Select(address => Direct(address, port))], cancellation);
        var model = TestModels.PathOf("llama-f32");
        await cluster.LaunchAsync(model, [(5, 7), (0, 5)], cancellation);
        using var golden = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(model, "golden.json"), cancellation));
        var item = golden.RootElement.GetProperty("cases")[0];

        var answer = await cluster.AskAsync(
            new { prompt = item.GetProperty("prompt_ids"), max_tokens = 16, temperature = 0, logprobs = 1, ignore_eos = true, return_tokens_as_token_ids = true }, cancellation);
        var connections = Connections();

        output.WriteLine(string.Join("\n", connections.Where(pair => Link.Contains(pair.Local) || Link.Contains(pair.Remote))));
        Assert.Equal(item.GetProperty("native_tokens").Deserialize<int[]>(), answer.Tokens);
        // Each rank accepts one connection at its own address: from its left neighbour, wherever that one's system lets it come from.
        Assert.All(Link, address => Assert.Contains(connections, pair => pair.Local == address));
    }

    [Fact(Timeout = 120_000)]
    public async Task Prepare_OtherTransportOnOneNode_IsRefused()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var cluster = await MlxCluster.StartAsync([Direct(Link[0], "41000"), []], cancellation);

        var error = await Assert.ThrowsAsync<ClusterStartException>(() => cluster.LaunchAsync(MlxGroup.Model, MlxGroup.Split, cancellation));

        Assert.Contains("Rank 1 (node-2) has Engines:Mlx:Transport Tunnel, rank 0 has Direct: set the same on all nodes.", error.Message, StringComparison.Ordinal);
    }

    private static (string, string?)[] Direct(string address, string port) =>
        [("Engines:Mlx:Transport", "Direct"), ("Engines:Mlx:DirectAddress", address), ("Engines:Mlx:DirectPort", port)];

    /// <summary>Established ones of this machine.</summary>
    private static List<(string Local, string Remote)> Connections() =>
        [.. File.ReadLines("/proc/net/tcp").Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(columns => columns[3] == "01").Select(columns => (Address(columns[1]), Address(columns[2])))];

    /// <summary><c>0107007F:C350</c> is 127.0.7.1, port 50000: the address as the processor holds it.</summary>
    private static string Address(string hex) => new IPAddress(long.Parse(hex.AsSpan(0, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString();

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
