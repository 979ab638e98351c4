using System.ComponentModel;
using System.Diagnostics;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Shards;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Hardware.Power;

/// <summary>
/// Measures the machine's power while shards are on it; an idle node costs nothing. A program that fails is said once and tried again when the next shard comes to an empty node.
/// </summary>
internal sealed partial class PowerMeter(ShardHost shards, IOptions<NodeOptions> options, TimeProvider time, ILogger<PowerMeter> logger) : BackgroundService
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>A sample is of one second; one that is older than three is of another time.</summary>
    private static readonly TimeSpan MaximumAge = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private (double Watts, long At)? _last;

    /// <summary>Watts of CPU, GPU and neural engine, averaged over the last second; <see langword="null"/> when nothing measures them.</summary>
    public double? Watts
    {
        get
        {
            lock (_gate)
            {
                return _last is { } last && time.GetElapsedTime(last.At) <= MaximumAge ? last.Watts : null;
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (PowerCommand.Choose(options.Value.PowerCommand, OperatingSystem.IsMacOS(), Environment.IsPrivilegedProcess) is not { } command)
        {
            return;
        }

        using var timer = new PeriodicTimer(LookInterval, time);
        while (await UntilAsync(timer, hasShards: true, stoppingToken).ConfigureAwait(false))
        {
            using var emptied = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            var measuring = MeasureAsync(command, emptied.Token);
            var goesOn = await UntilAsync(timer, hasShards: false, stoppingToken).ConfigureAwait(false);
            await emptied.CancelAsync().ConfigureAwait(false);
            await measuring.ConfigureAwait(false);
            if (!goesOn)
            {
                return;
            }
        }
    }

    /// <returns><see langword="false"/> when the agent ends first.</returns>
    private async Task<bool> UntilAsync(PeriodicTimer timer, bool hasShards, CancellationToken stoppingToken)
    {
        try
        {
            while (shards.Sample().IsEmpty == hasShards)
            {
                await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false);
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Until cancelled, or until the program ends.</summary>
    private async Task MeasureAsync(PowerCommand command, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command.Path, command.Arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["LC_ALL"] = "C"; // Numbers are printed with the comma of the person's locale otherwise.
        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception error)
        {
            LogFailed(command, error.Message);
            return;
        }

        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await ReadAsync(process.StandardOutput, cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            LogEnded(command, process.ExitCode, (await errors.ConfigureAwait(false)).Trim());
        }
        catch (OperationCanceledException)
        {
            // Should it run as root by sudo, it ends itself at its next line: nobody reads its output any more.
            EndIfOurs(process);
        }
    }

    private async Task ReadAsync(StreamReader lines, CancellationToken cancellationToken)
    {
        var output = new PowermetricsOutput();
        while (await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            if (output.Add(line) is { } watts)
            {
                lock (_gate)
                {
                    _last = (watts, time.GetTimestamp());
                }
            }
        }
    }

    private static void EndIfOurs(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is Win32Exception or InvalidOperationException or AggregateException)
        {
            // It is not this user's, or gone.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Power is not measured: {Command} can't be run: {Error} (Node:PowerCommand)")]
    private partial void LogFailed(PowerCommand command, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Power is not measured any more: {Command} ended with exit code {ExitCode}: {Errors} (Node:PowerCommand)")]
    private partial void LogEnded(PowerCommand command, int exitCode, string errors);
}
