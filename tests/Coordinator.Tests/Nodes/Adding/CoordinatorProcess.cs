using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>The Coordinator as a process of its own, which machines of other networks can reach.</summary>
internal sealed class CoordinatorProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private CoordinatorProcess(Process process, string home)
    {
        (_process, Home) = (process, home);
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Home { get; }

    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromMinutes(5) };

    /// <summary>All that it has printed.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <param name="grpcAddress">Where agents reach it.</param>
    public static Task<CoordinatorProcess> StartAsync(string grpcAddress, CancellationToken cancellationToken, params string[] arguments) =>
        StartAsync(grpcAddress, sshAgent: "", cancellationToken, arguments);

    /// <param name="sshAgent">Socket of the SSH agent of the person who starts it; empty for none.</param>
    public static async Task<CoordinatorProcess> StartAsync(string grpcAddress, string sshAgent, CancellationToken cancellationToken, params string[] arguments)
    {
        var home = Directory.CreateTempSubdirectory("coordinator-adding-").FullName;
        var readyFile = Path.Combine(home, "run", "ready.json");
        Directory.CreateDirectory(Path.GetDirectoryName(readyFile)!);
        using var watcher = new FileSystemWatcher(Path.GetDirectoryName(readyFile)!) { EnableRaisingEvents = true };
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Filter = Path.GetFileName(readyFile);
        watcher.Renamed += (_, _) => written.TrySetResult();
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["CLUSTERLLM_HOME"] = home, ["CLUSTERLLM_PARENT"] = "stdin", ["SSH_AUTH_SOCK"] = sshAgent },
        };
        string[] all =
        [
            Path.Combine(AppContext.BaseDirectory, "ClusterLlm.Coordinator.dll"), "--Cluster:HttpPort=0", "--Cluster:GrpcPort=0", $"--Cluster:GrpcAddress={grpcAddress}",
            $"--Cluster:ReadyFile={readyFile}", "--Adding:KeepAlive=00:00:01", "--Adding:ConnectTimeout=00:00:05", .. arguments,
        ];
        foreach (var argument in all)
        {
            start.ArgumentList.Add(argument);
        }

        var coordinator = new CoordinatorProcess(Process.Start(start)!, home);
        var first = await Task.WhenAny(written.Task, coordinator._process.WaitForExitAsync(cancellationToken)).WaitAsync(Limit, cancellationToken);
        Assert.True(first == written.Task, $"The Coordinator ended: {coordinator.Output}");
        coordinator.Http.BaseAddress = new Uri(JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(readyFile, cancellationToken)).GetProperty("httpUrl").GetString()!);
        // Where keys are required, as beyond loopback, there is one for programs of this user.
        if (Path.Combine(home, "run", "local-key") is var keyFile && File.Exists(keyFile))
        {
            coordinator.Http.DefaultRequestHeaders.Authorization = new("Bearer", (await File.ReadAllTextAsync(keyFile, cancellationToken)).Trim());
        }

        return coordinator;
    }

    /// <summary>Reads the list of nodes at each change until it fits.</summary>
    public async Task<JsonElement> WaitForNodesAsync(Func<JsonElement, bool> fits, CancellationToken cancellationToken)
    {
        JsonElement last = default;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            await using var stream = await Http.GetStreamAsync("/api/nodes/events", limit.Token);
            await foreach (var item in SseParser.Create(stream).EnumerateAsync(limit.Token))
            {
                last = JsonSerializer.Deserialize<JsonElement>(item.Data);
                if (fits(last))
                {
                    return last;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
        }

        throw new TimeoutException($"Waited {Limit} for the nodes; last seen: {last}\n{Output}");
    }

    /// <summary>Starts a run and follows it to its end.</summary>
    /// <param name="seen">Looks at each event; for tests that act in the middle.</param>
    public async Task<JsonElement> RunAsync(string path, object body, CancellationToken cancellationToken, Action<JsonElement>? seen = null)
    {
        using var response = await PostAsync(path, body, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(response.StatusCode == System.Net.HttpStatusCode.Accepted, $"{response.StatusCode}: {text}");
        var run = JsonSerializer.Deserialize<JsonElement>(text);
        await using var stream = await Http.GetStreamAsync($"/api/node-runs/{run.GetProperty("id").GetString()}/events", cancellationToken);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancellationToken))
        {
            run = JsonSerializer.Deserialize<JsonElement>(item.Data);
            seen?.Invoke(run);
        }

        return run;
    }

    public Task<HttpResponseMessage> PostAsync(string path, object body, CancellationToken cancellationToken) => Http.PostAsJsonAsync(path, body, cancellationToken);

    public Task<JsonElement> AddAsync(object body, CancellationToken cancellationToken) => RunAsync("/api/nodes", body, cancellationToken);

    public async Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) => await Http.GetFromJsonAsync<JsonElement>(path, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        Http.Dispose();
        Directory.Delete(Home, recursive: true);
    }

    private void Keep(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
        }
    }
}
