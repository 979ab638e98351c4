using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace ClusterLlm.Benchmarks.Load;

/// <summary>
/// Whether the load generator's figures are those of the server's own time stamps, and how many streams it holds: <c>compare load</c> as a process of its own, bound to one core,
/// against a server that notes when it sent what.
/// </summary>
internal static class LoadBenchmark
{
    private const int Tokens = 150;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    public static async Task<int> RunAsync(BenchmarkOptions options)
    {
        var figures = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var streams in (int[])[8, 200])
        {
            await using var server = await PacedServer.StartAsync(Pace);
            var (summary, busyShare) = await ClientAsync(server.Url, streams);
            var decode = summary.GetProperty("decodeP50").GetDouble() / server.MedianDecode(Tokens);
            var together = summary.GetProperty("aggregateTokensPerSecond").GetDouble() / server.Together(Tokens);
            var answered = summary.GetProperty("answered").GetInt32();
            figures[$"{streams} streams: decode, generator / by hand"] = decode;
            figures[$"{streams} streams: together, generator / by hand"] = together;
            figures[$"{streams} streams: answered"] = answered;
            figures[$"{streams} streams: share of one core"] = busyShare;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{streams} streams at {1 / Pace.TotalSeconds:0} tok/s each: {answered} answered; generator / by hand: decode {decode:0.0000}, together {together:0.0000}; {100 * busyShare:0} % of one core"));
        }

        options.WriteJson(figures);
        return 0;
    }

    private static async Task<(JsonElement Summary, double BusyShare)> ClientAsync(string url, int streams)
    {
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "ClusterLlm.Coordinator.dll"), "compare", "load", "--endpoint", $"{url}/v1", "--model", "paced", "--api", "Completions", "--prompt", "16",
            "--output", $"{Tokens}", "--concurrency", $"{streams}", "--requests", $"{streams}", "--json",
        ];
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true };
        var began = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
        {
            process.ProcessorAffinity = 1;
        }

        using var limit = new CancellationTokenSource(Limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var busy = TimeSpan.Zero;
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!process.HasExited && await poll.WaitForNextTickAsync(limit.Token))
        {
            process.Refresh();
            busy = process.HasExited ? busy : process.TotalProcessorTime;
        }

        var share = busy / Stopwatch.GetElapsedTime(began);
        return (JsonSerializer.Deserialize<JsonElement>(await output).GetProperty("summary"), share);
    }
}
