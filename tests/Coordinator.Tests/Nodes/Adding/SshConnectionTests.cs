using System.Net;
using System.Net.Sockets;
using ClusterLlm.Coordinator.Nodes.Adding;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>Connections to a real OpenSSH server that die without a word, and to what is none.</summary>
[Collection(PublishedAgent.Tests)]
public sealed class SshConnectionTests
{
    // Far above the settings below, far below the quarter of an hour that TCP tries on.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly SshConnector Connector = new(Options.Create(new AddingOptions
    {
        ConnectTimeout = TimeSpan.FromSeconds(3),
        KeepAlive = TimeSpan.FromSeconds(1),
        StallTimeout = TimeSpan.FromSeconds(2),
    }));

    [Fact(Timeout = 120_000)]
    public async Task Run_LinkDiesWhileACommandWorks_IsLostAndLeavesNothingWaiting()
    {
        SshMachine.Require();
        var cancelled = TestContext.Current.CancellationToken;
        await using var machine = await SshMachine.StartAsync(cancelled);
        var address = new TargetAddress(machine.Address, 22, "root");
        var (target, _) = await Connector.ConnectAsync(
            address, new TargetCredentials(null, machine.RootKeyFile, null, null), new HostKeyTrust(null, machine.HostKeyFingerprint()), cancelled);
        var answer = await target.RunAsync("echo out; echo errors >&2; cat; exit 3", new MemoryStream("input"u8.ToArray()), null, cancelled);
        Assert.Equal((3, "out\ninput", "errors\n"), (answer.ExitCode, answer.Output, answer.Errors));

        // As a long installation does, it says nothing; the machine has begun it when this returns.
        var working = target.RunAsync("sleep 600", null, null, cancelled);
        machine.SetLink(up: false);
        var lost = await Assert.ThrowsAsync<TargetException>(() => working.WaitAsync(Limit, cancelled));
        Assert.Equal(TargetProblem.Lost, lost.Problem);
        Assert.Equal($"The connection to {address} was lost: nothing went through for 2 s.", lost.Message);
        var after = await Assert.ThrowsAsync<TargetException>(() => target.RunAsync("true", null, null, cancelled).WaitAsync(Limit, cancelled));
        Assert.Equal(TargetProblem.Lost, after.Problem);
        await target.DisposeAsync().AsTask().WaitAsync(Limit, cancelled);

        var (unreachable, message) = await RefusedAsync(address, cancelled);
        Assert.Equal(TargetProblem.Unreachable, unreachable);
        Assert.Contains($"{machine.Address} does not answer SSH on port 22", message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Connect_ServerThatSaysNothing_IsUnreachableAfterTheTimeOfALogin()
    {
        var cancelled = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        var (problem, message) = await RefusedAsync(new TargetAddress("localhost", ((IPEndPoint)listener.LocalEndpoint).Port, "anna"), cancelled);

        Assert.Equal(TargetProblem.Unreachable, problem);
        Assert.Matches(@"^localhost does not answer SSH on port \d+: .+ Remote Login\.$", message);
    }

    [Fact(Timeout = 60_000)]
    public async Task Connect_NobodyListensOrNoSuchName_IsUnreachableAndSaysWhy()
    {
        var cancelled = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        Assert.Contains("Connection refused", (await RefusedAsync(new TargetAddress("127.0.0.1", port, "anna"), cancelled)).Message, StringComparison.Ordinal);
        Assert.Equal(TargetProblem.Unreachable, (await RefusedAsync(new TargetAddress("no-such-mac.invalid", 22, "anna"), cancelled)).Problem);
    }

    private static async Task<(TargetProblem Problem, string Message)> RefusedAsync(TargetAddress address, CancellationToken cancellationToken)
    {
        var refused = await Assert.ThrowsAsync<TargetException>(() => Connector
            .ConnectAsync(address, new TargetCredentials("secret", null, null, null), new HostKeyTrust(null, null), cancellationToken).WaitAsync(Limit, cancellationToken));
        return (refused.Problem, refused.Message);
    }
}
