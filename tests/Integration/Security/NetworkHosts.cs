using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ClusterLlm.Integration.Security;

/// <summary>Two hosts on networks of their own with a router between them, as Linux network namespaces: as far apart as two machines, but for the clock.</summary>
internal sealed partial class NetworkHosts : IDisposable
{
    /// <summary>Collection of the tests that use them: one after the other, for two cores do not carry several clusters at once.</summary>
    public const string Tests = "network hosts";

    private const int NewNetwork = 0x40000000; // CLONE_NEWNET

    private static int _count;

    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"cl{Environment.ProcessId % 100000}-{Interlocked.Increment(ref _count)}");

    private NetworkHosts()
    {
    }

    public string Coordinator => _prefix + "c";

    public string Agents => _prefix + "a";

    public IPAddress CoordinatorAddress { get; } = IPAddress.Parse("10.77.1.2");

    public IPAddress AgentsAddress { get; } = IPAddress.Parse("10.77.2.2");

    private string Router => _prefix + "r";

    /// <summary>Makes them; skips the running test, saying why, where the system does not let it.</summary>
    public static NetworkHosts Create()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Network namespaces need Linux and root.");
        var ip = new[] { "/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip" }.Any(File.Exists);
        Assert.SkipUnless(ip, "The command ip is missing: install iproute2.");
        var hosts = new NetworkHosts();
        var (worked, said) = Run("ip", "netns", "add", hosts.Router);
        Assert.SkipUnless(worked, $"This system gives no network namespaces: {said}");
        try
        {
            hosts.Connect(hosts.Coordinator, "10.77.1.2/24", "10.77.1.1/24");
            hosts.Connect(hosts.Agents, "10.77.2.2/24", "10.77.2.1/24");
            Require("ip", "netns", "exec", hosts.Router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
            return hosts;
        }
        catch
        {
            hosts.Dispose();
            throw;
        }
    }

    /// <summary>A socket that belongs to a host's network, whatever thread uses it then.</summary>
    public static Socket CreateSocket(string host)
    {
        Socket? socket = null;
        Exception? failure = null;
        // A thread of its own: it stays in the other network, so it must not go back to the pool.
        var thread = new Thread(() =>
        {
            try
            {
                using var network = File.OpenHandle($"/var/run/netns/{host}");
                if (SetNamespace(network.DangerousGetHandle().ToInt32(), NewNetwork) != 0)
                {
                    throw new InvalidOperationException($"setns to {host} failed: {Marshal.GetLastPInvokeErrorMessage()}");
                }

                socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            }
            catch (Exception error) when (error is IOException or InvalidOperationException or SocketException)
            {
                failure = error;
            }
        });
        thread.Start();
        thread.Join();
        return socket ?? throw new InvalidOperationException($"No socket in {host}.", failure);
    }

    /// <summary>A handler whose connections come from a host's network.</summary>
    public static SocketsHttpHandler Handler(string host) => new()
    {
        UseProxy = false,
        ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = CreateSocket(host);
            await socket.ConnectAsync(IPAddress.Parse(context.DnsEndPoint.Host), context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    public void Dispose()
    {
        foreach (var host in new[] { Coordinator, Agents, Router })
        {
            Run("ip", "netns", "del", host);
        }
    }

    private void Connect(string host, string address, string gateway)
    {
        Require("ip", "netns", "add", host);
        Require("ip", "link", "add", $"{host}0", "netns", host, "type", "veth", "peer", "name", $"{host}1", "netns", Router);
        Require("ip", "-n", host, "addr", "add", address, "dev", $"{host}0");
        Require("ip", "-n", Router, "addr", "add", gateway, "dev", $"{host}1");
        Require("ip", "-n", host, "link", "set", "lo", "up");
        Require("ip", "-n", host, "link", "set", $"{host}0", "up");
        Require("ip", "-n", Router, "link", "set", $"{host}1", "up");
        Require("ip", "-n", host, "route", "add", "default", "via", gateway[..gateway.IndexOf('/', StringComparison.Ordinal)]);
    }

    private static void Require(string program, params string[] arguments)
    {
        var (worked, said) = Run(program, arguments);
        Assert.True(worked, $"{program} {string.Join(' ', arguments)}: {said}");
    }

    private static (bool Worked, string Said) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode == 0, said.Trim());
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);
}
