using System.Diagnostics;

namespace ClusterLlm.Benchmarks.Gateway;

/// <summary>A process of this benchmark: this same program under another name, which says where it listens and ends when its input does.</summary>
internal sealed class GatewayPart : IAsyncDisposable
{
    public const string Agent = "gateway-agent";
    public const string Coordinator = "gateway-coordinator";

    private const string Announcement = "listening ";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private GatewayPart(Process process, Uri url) => (_process, Url) = (process, url);

    public Uri Url { get; }

    /// <summary>Bytes resident now.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Processor time that it has used.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<GatewayPart> StartAsync(string name, params string[] options)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [name, .. options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        // The part ends with this process, however that ends.
        start.Environment["CLUSTERLLM_PARENT"] = "stdin";
        var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(StartLimit);
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith(Announcement, StringComparison.Ordinal))
            {
                return new(process, new Uri(line[Announcement.Length..]));
            }

            await Console.Error.WriteLineAsync(line);
        }

        throw new InvalidOperationException($"The process '{name}' ended before it listened.");
    }

    /// <summary>Tells the starter of this process where it listens.</summary>
    public static void Announce(string url) => Console.WriteLine(Announcement + url);

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(StartLimit);
        await _process.WaitForExitAsync(limit.Token);
        _process.Dispose();
    }
}
