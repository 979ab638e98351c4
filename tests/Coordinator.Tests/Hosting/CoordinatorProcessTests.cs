using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using ClusterLlm.Protos.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace ClusterLlm.Coordinator.Tests.Hosting;

/// <summary>The Coordinator as a process of its own: ports, ready file, exit codes.</summary>
public sealed class CoordinatorProcessTests
{
    [Fact(Timeout = 120_000)]
    public async Task Start_PortsToChoose_WritesReadyFileKeepsProtocolsApartAndEndsWithItsParent()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var home = Directory.CreateTempSubdirectory("coordinator-process-").FullName;
        var readyFile = Path.Combine(home, "run", "coordinator.json");
        Directory.CreateDirectory(Path.GetDirectoryName(readyFile)!);
        using var watcher = new FileSystemWatcher(Path.GetDirectoryName(readyFile)!) { EnableRaisingEvents = true };
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Renamed += (_, e) => written.TrySetResult();
        using var process = Start(home, "--Cluster:HttpPort=0", "--Cluster:GrpcPort=0", $"--Cluster:ReadyFile={readyFile}");
        try
        {
            await written.Task.WaitAsync(TimeSpan.FromSeconds(60), cancelled);
            var ready = JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(readyFile, cancelled));
            Assert.Equal(process.Id, ready.GetProperty("pid").GetInt32());
            var (http, grpc) = (ready.GetProperty("httpUrl").GetString()!, ready.GetProperty("grpcUrl").GetString()!);

            using var client = new HttpClient();
            Assert.Equal("0.1.0", (await client.GetFromJsonAsync<JsonElement>($"{http}/api/cluster", cancelled)).GetProperty("version").GetString());
            using var health = await client.GetAsync($"{http}/health", cancelled);
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);

            // Without a certificate the port tells who it is, gives certificates for tokens, and nothing else.
            using var anybody = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } };
            using var channel = GrpcChannel.ForAddress(grpc, new GrpcChannelOptions { HttpHandler = anybody });
            var authority = await new EnrollmentService.EnrollmentServiceClient(channel).GetAuthorityAsync(new GetAuthorityRequest(), cancellationToken: cancelled);
            Assert.NotEmpty(authority.Authority);
            var refused = await Assert.ThrowsAsync<RpcException>(async () =>
                await new MembershipService.MembershipServiceClient(channel).JoinAsync(new JoinRequest(), cancellationToken: cancelled));
            Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
            using var strict = new HttpClient(anybody, disposeHandler: false);
            using var rest = new HttpRequestMessage(HttpMethod.Get, $"{grpc}/api/cluster") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var wrongPort = await strict.SendAsync(rest, cancelled);
            Assert.Equal(HttpStatusCode.NotFound, wrongPort.StatusCode);

            var (second, inUse) = await RunInAsync(home, cancelled, "--Cluster:HttpPort=0", "--Cluster:GrpcPort=0");
            Assert.Equal(2, second);
            Assert.Equal($"A Coordinator works in {home} already. End it, or set CLUSTERLLM_HOME to another folder for this one.", Assert.Single(inUse));

            process.StandardInput.Close();
            await process.WaitForExitAsync(cancelled).WaitAsync(TimeSpan.FromSeconds(30), cancelled);
            Assert.Equal(0, process.ExitCode);
            await RefusedKeyAsync(Path.Combine(home, "authority", "key.pem"), home, cancelled);
        }
        finally
        {
            End(process);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Start_PortInUse_IsOneLineAndExitCode3()
    {
        var cancelled = TestContext.Current.CancellationToken;
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var (code, errors) = await RunAsync(cancelled, $"--Cluster:HttpPort={port}", "--Cluster:GrpcPort=0");
        Assert.Equal(3, code);
        Assert.Contains($":{port}", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Start_BadSettings_AreOneLineWithAllOfThemAndExitCode2()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var (code, errors) = await RunAsync(cancelled, "--Cluster:HttpPort=70000", "--Cluster:GrpcPrt=1", "--Nodes:RenewInterval=00:00:05");
        Assert.Equal(2, code);
        var line = Assert.Single(errors);
        Assert.Contains("Cluster:HttpPort is 70000", line, StringComparison.Ordinal);
        Assert.Contains("'Cluster:GrpcPort'", line, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Start_CertificateThatIsNone_IsOneLineWithItsFileAndExitCode2()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "no certificate", cancelled);
        var (code, errors) = await RunAsync(cancelled, "--Cluster:HttpPort=0", "--Cluster:GrpcPort=0", "--Cluster:HttpsPort=0", "--Cluster:HttpsAddress=127.0.0.1", $"--Cluster:HttpsCertificateFile={file}");
        Assert.Equal(2, code);
        Assert.StartsWith($"Cluster:HttpsCertificateFile '{file}' can't be used: ", Assert.Single(errors), StringComparison.Ordinal);
        File.Delete(file);
    }

    /// <summary>A store whose key others can read is not used any more, as that key may be known.</summary>
    private static async Task RefusedKeyAsync(string key, string home, CancellationToken cancelled)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(key, File.GetUnixFileMode(key) | UnixFileMode.GroupRead);
            var (code, errors) = await RunInAsync(home, cancelled, "--Cluster:HttpPort=0", "--Cluster:GrpcPort=0");
            Assert.Equal(2, code);
            Assert.StartsWith($"{key} can be read or changed by other users (mode 640)", Assert.Single(errors), StringComparison.Ordinal);
        }
    }

    private static Task<(int ExitCode, string[] Errors)> RunAsync(CancellationToken cancelled, params string[] arguments) =>
        RunInAsync(Directory.CreateTempSubdirectory("coordinator-process-").FullName, cancelled, arguments);

    private static async Task<(int ExitCode, string[] Errors)> RunInAsync(string home, CancellationToken cancelled, params string[] arguments)
    {
        using var process = Start(home, arguments);
        try
        {
            var errors = await process.StandardError.ReadToEndAsync(cancelled);
            await process.WaitForExitAsync(cancelled);
            return (process.ExitCode, errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            End(process);
        }
    }

    private static Process Start(string home, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["CLUSTERLLM_HOME"] = home, ["CLUSTERLLM_PARENT"] = "stdin" },
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "ClusterLlm.Coordinator.dll"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        return process;
    }

    private static void End(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }
    }
}
