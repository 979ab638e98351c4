using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.Integration;

/// <summary>How the AppHost starts, ends, and is ended.</summary>
[Trait("category", "slow")]
[Collection(HostProcesses.Name)]
public sealed partial class AppHostTests
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(10);

    [Fact(Timeout = 180_000)]
    public async Task CtrlC_EndsEverythingWithinTenSecondsAndASecondStartWorks()
    {
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        for (var start = 0; start < 2; start++)
        {
            await using var host = AppHostProcess.Start(home);
            await host.WaitUntilReadyAsync(token);
            var children = host.Children;
            Assert.Equal(4, children.Count);
            Assert.Contains("curl -N http://127.0.0.1:", host.Output);

            var began = Stopwatch.GetTimestamp();
            host.Signal("INT");
            var exitCode = await host.WaitForExitAsync(token);

            Assert.Equal(0, exitCode);
            Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, EndLimit);
            Assert.DoesNotContain(children, AppHostProcess.IsRunning);
        }

        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 180_000)]
    public async Task Kill_ChildrenEndByThemselvesAndTheNextStartWorks()
    {
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        IReadOnlyList<int> children;
        await using (var host = AppHostProcess.Start(home))
        {
            await host.WaitUntilReadyAsync(token);
            children = host.Children;
            host.Signal("KILL");
            await host.WaitForExitAsync(token);
        }

        await using (var next = AppHostProcess.Start(home))
        {
            await AppHostProcess.WaitUntilGoneAsync(children, token).WaitAsync(EndLimit, TimeProvider.System, token);
            await next.WaitUntilReadyAsync(token);
        }

        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 180_000)]
    public async Task Start_HomeInUse_SaysWhoUsesIt()
    {
        var token = TestContext.Current.CancellationToken;
        var home = AppHostProcess.NewHome();
        await using (var host = AppHostProcess.Start(home, "--AppHost:Demo=false", "--AppHost:Agents=0"))
        {
            await host.WaitUntilReadyAsync(token);
            await using var second = AppHostProcess.Start(home);

            Assert.Equal(1, await second.WaitForExitAsync(token));
            Assert.Contains($"process {host.Pid}", second.Output);
        }

        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 60_000)]
    public async Task Start_FixedPortInUse_SaysWhatToSet()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var home = AppHostProcess.NewHome();

        await using (var host = AppHostProcess.Start(home, $"--AppHost:HttpPort={port}"))
        {
            Assert.Equal(3, await host.WaitForExitAsync(TestContext.Current.CancellationToken));
            Assert.Equal($"Port {port} (AppHost:HttpPort) is in use. End what listens there, set AppHost:HttpPort to another port, or leave it out to have one chosen.", host.Output);
        }

        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 180_000)]
    public async Task Start_DefaultPortsInUse_ChoosesOthersAndShowsThem()
    {
        var token = TestContext.Current.CancellationToken;
        int[] usual = [ClusterTopology.DefaultHttpPort, ClusterTopology.DefaultGrpcPort, ClusterTopology.DefaultAgentPort];
        var taken = usual.Select(Take).ToArray();
        var home = AppHostProcess.NewHome();
        try
        {
            await using var host = AppHostProcess.StartOnDefaultPorts(home);
            var coordinator = Ports(await host.WaitForLineAsync("coordinator  running", token));
            var agent = Ports(await host.WaitForLineAsync("node-1       running", token));
            var ready = Ports(await host.WaitUntilReadyAsync(token));

            Assert.Equal((2, 1), (coordinator.Length, agent.Length));
            Assert.Empty(usual.Intersect([.. coordinator, .. agent]));
            Assert.Subset(coordinator.ToHashSet(), ready.ToHashSet());
            using var http = new HttpClient();
            using var nodes = await http.GetAsync($"http://127.0.0.1:{ready[0]}/api/nodes", token);
            Assert.Equal(HttpStatusCode.OK, nodes.StatusCode);
        }
        finally
        {
            Array.ForEach(taken, listener => listener?.Dispose());
        }

        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 180_000)]
    public async Task Start_DashboardPortInUse_SaysWhatToSetAndRunsOn()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var home = AppHostProcess.NewHome();

        await using (var host = AppHostProcess.Start(home, "--AppHost:Agents=0", "--AppHost:Dashboard=true", $"--AppHost:DashboardPort={port}"))
        {
            Assert.Equal(
                $"dashboard    missing    Port {port} (AppHost:DashboardPort) is in use. End what listens there, set AppHost:DashboardPort to another port, or leave it out to have one chosen. The cluster runs on without it.",
                await host.WaitForLineAsync("dashboard", TestContext.Current.CancellationToken));
            await host.WaitUntilReadyAsync(TestContext.Current.CancellationToken);
        }

        Directory.Delete(home, recursive: true);
    }

    [Fact(Timeout = 60_000)]
    public async Task Start_UnknownSetting_NamesTheNearest()
    {
        var home = AppHostProcess.NewHome();
        await using var host = AppHostProcess.Start(home, "--AppHost:Agent=2");

        Assert.Equal(2, await host.WaitForExitAsync(TestContext.Current.CancellationToken));
        Assert.Contains("did you mean AppHost:Agents?", host.Output);
        Directory.Delete(home, recursive: true);
    }

    /// <summary>Null when somebody else listens there already, which serves as well.</summary>
    private static TcpListener? Take(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return listener;
        }
        catch (SocketException)
        {
            listener.Dispose();
            return null;
        }
    }

    private static int[] Ports(string line) => [.. LoopbackUrl().Matches(line).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    [GeneratedRegex(@"://127\.0\.0\.1:(\d+)")]
    private static partial Regex LoopbackUrl();
}
