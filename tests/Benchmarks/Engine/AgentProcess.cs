using System.Diagnostics;
using System.Text.Json;
using ClusterLlm.Testing;

namespace ClusterLlm.Benchmarks.Engine;

/// <summary>A NodeAgent of its own, as the AppHost starts it; ends with this process.</summary>
internal sealed class AgentProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string _home;

    private AgentProcess(Process process, string home, Uri url) => (_process, _home, Url) = (process, home, url);

    public Uri Url { get; }

    /// <summary>Resident bytes now, mapped weights included.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public static async Task<AgentProcess> StartAsync(string id, string? modelDirectory)
    {
        var home = Directory.CreateTempSubdirectory("clusterllm-benchmark-").FullName;
        TestAuthority.Shared.WriteCredentials(home, id);
        var ready = Path.Combine(home, "ready.json");
        var start = new ProcessStartInfo("dotnet", Path.Combine(AppContext.BaseDirectory, "ClusterLlm.NodeAgent.dll"))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = home,
        };
        start.Environment["CLUSTERLLM_HOME"] = home;
        start.Environment["CLUSTERLLM_PARENT"] = "stdin";
        start.Environment["CLUSTERLLM__Node__Id"] = id;
        start.Environment["CLUSTERLLM__Node__GrpcPort"] = "0";
        start.Environment["CLUSTERLLM__Node__ReadyFile"] = ready;
        start.Environment["CLUSTERLLM__Node__ModelDirectories__0"] = modelDirectory ?? home;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        var started = Stopwatch.GetTimestamp();
        while (!File.Exists(ready))
        {
            if (process.HasExited || Stopwatch.GetElapsedTime(started) > Limit)
            {
                throw new InvalidOperationException($"The agent {id} did not come up within {Limit.TotalSeconds:0} s.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
        }

        using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(ready));
        return new AgentProcess(process, home, new Uri(document.RootElement.GetProperty("grpcUrl").GetString()!));
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(Limit);
        await _process.WaitForExitAsync(limit.Token);
        _process.Dispose();
        Directory.Delete(_home, recursive: true);
    }
}
