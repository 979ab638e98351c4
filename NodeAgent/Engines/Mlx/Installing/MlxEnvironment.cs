using System.Text.Json;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Installing;

/// <summary>The Python environment of this node: found or made once, asked again only when its interpreter has changed.</summary>
internal sealed partial class MlxEnvironment(IOptions<MlxOptions> options, MlxInstaller installer, MlxPackage package, ProbeCache cache, EngineChanges changes, ILogger<MlxEnvironment> logger) : IDisposable
{
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromMinutes(2);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ending = new();
    private Task<MlxInstallation>? _current;
    private InstallFacts? _facts;
    private bool _isAwaited;

    /// <summary>What is there, waiting at most <paramref name="patience"/> for what is being found out.</summary>
    public async ValueTask<MlxInstallation> GetAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var finding = Find();
        try
        {
            return await finding.WaitAsync(patience, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Volatile.Write(ref _isAwaited, true);
            AnnounceIfAwaited(finding);
            return MlxInstallation.Unavailable("The Python environment of MLX is being prepared; ask again in a minute.");
        }
    }

    public void Dispose()
    {
        _ending.Cancel();
        _ending.Dispose();
    }

    /// <summary>Whoever was told to ask again hears when it is worth it.</summary>
    private void AnnounceIfAwaited(Task finding)
    {
        if (finding.IsCompleted && Interlocked.Exchange(ref _isAwaited, false))
        {
            changes.Announce();
        }
    }

    private Task<MlxInstallation> Find()
    {
        lock (_gate)
        {
            // What failed is tried again when something on the machine has changed.
            var facts = installer.Read();
            if (_current is null || (_current.IsCompleted && facts != _facts))
            {
                _facts = facts;
                _current = Task.Run(() => FindAsync(facts, _ending.Token));
                _current.ContinueWith(AnnounceIfAwaited, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }

            return _current;
        }
    }

    private async Task<MlxInstallation> FindAsync(InstallFacts facts, CancellationToken cancellationToken)
    {
        try
        {
            var python = InstallPolicy.Decide(options.Value, facts) switch
            {
                InstallAction.Use use => use.Python,
                InstallAction.Make make => await installer.MakeAsync(make, cancellationToken).ConfigureAwait(false),
                InstallAction.Missing missing => throw new MlxInstallException(missing.Reason),
                var other => throw new InvalidOperationException($"Unknown action {other}."),
            };
            return await ProbeAsync(python, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is MlxInstallException or IOException or UnauthorizedAccessException)
        {
            LogUnavailable(error.Message);
            return MlxInstallation.Unavailable(error.Message);
        }
    }

    private async Task<MlxInstallation> ProbeAsync(string python, CancellationToken cancellationToken)
    {
        var output = cache.Find(python) ?? await RunProbeAsync(python, cancellationToken).ConfigureAwait(false);
        try
        {
            var report = MlxProbeReport.Parse(output);
            if (report.Fault is { } fault)
            {
                throw new MlxInstallException($"{python}: {fault}");
            }

            cache.Store(python, output);
            return new MlxInstallation(python, report, null);
        }
        catch (JsonException error)
        {
            throw new MlxInstallException($"{python} answered the probe with something else than its report: {error.Message}");
        }
    }

    private async Task<string> RunProbeAsync(string python, CancellationToken cancellationToken)
    {
        var result = await ToolRun.RunAsync(python, ["-m", "clusterllm_mlx.probe"], package.Environment, ProbeLimit, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0 ? result.Output : throw new MlxInstallException($"{python} has no working MLX: {result.Tail}");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "MLX can't be used on this node. {Reason}")]
    private partial void LogUnavailable(string reason);
}

/// <summary>An interpreter with MLX, or why there is none.</summary>
/// <param name="Reason">One sentence; null when MLX can be used.</param>
internal sealed record MlxInstallation(string? Python, MlxProbeReport? Report, string? Reason)
{
    public static MlxInstallation Unavailable(string reason) => new(null, null, reason);
}
