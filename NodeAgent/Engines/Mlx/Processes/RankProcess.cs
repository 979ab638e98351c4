using System.Diagnostics;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Processes;

/// <summary>One rank's process: its events, its last lines, its end.</summary>
internal sealed partial class RankProcess : IAsyncDisposable
{
    private const int KeptLines = 200;
    private const int ShownLines = 4;
    private static readonly TimeSpan StdinGrace = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan TerminateGrace = TimeSpan.FromSeconds(2);

    private readonly int _rank;
    private readonly Process _process;
    private readonly Action<RankEvent> _onEvent;
    private readonly ILogger _logger;
    private readonly LogTail _tail = new(KeptLines);
    private string? _lastWord;

    private RankProcess(int rank, Process process, Action<RankEvent> onEvent, ILogger logger)
    {
        (_rank, _process, _onEvent, _logger) = (rank, process, onEvent, logger);
        Exited = WaitAsync();
    }

    public int ProcessId => _process.Id;

    /// <summary>Completes with the reason when the process is gone and its outputs are read. Never faults.</summary>
    public Task<string> Exited { get; }

    /// <summary>Starts the process. Its standard input stays open as long as this agent lives: its end ends the rank too.</summary>
    /// <param name="onEvent">Called for each event, in order, from one thread.</param>
    /// <exception cref="ShardException">The interpreter can't be started.</exception>
    public static RankProcess Start(int rank, RankCommand command, Action<RankEvent> onEvent, ILogger logger)
    {
        var start = new ProcessStartInfo(command.Program, command.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in command.Environment)
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            process.Dispose();
            throw new ShardException($"Rank {rank}: {command.Program} can't be started: {error.Message}", error);
        }

        return new RankProcess(rank, process, onEvent, logger);
    }

    /// <summary>Ends the process: asks, then SIGTERM, then SIGKILL. Returns when it is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Exited.IsCompleted)
        {
            await CloseInputAsync().ConfigureAwait(false);
            if (!await EndsWithinAsync(StdinGrace).ConfigureAwait(false))
            {
                UnixSignals.RequestEnd(_process.Id);
                if (!await EndsWithinAsync(TerminateGrace).ConfigureAwait(false))
                {
                    LogKilled(_logger, _rank, _process.Id);
                    _process.Kill(entireProcessTree: true);
                }
            }
        }

        await Exited.ConfigureAwait(false);
        _process.Dispose();
    }

    private async Task CloseInputAsync()
    {
        try
        {
            await _process.StandardInput.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException error)
        {
            LogInputBroken(_logger, error, _rank);
        }
    }

    private async Task<bool> EndsWithinAsync(TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await _process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<string> WaitAsync()
    {
        var events = ReadAsync(_process.StandardOutput, OnOutput);
        var log = ReadAsync(_process.StandardError, _tail.Add);
        await Task.WhenAll(events, log, _process.WaitForExitAsync(CancellationToken.None)).ConfigureAwait(false);
        return RankExit.Describe(_rank, _process.ExitCode, _lastWord, _tail.Last(ShownLines));
    }

    private static async Task ReadAsync(StreamReader reader, Action<string> onLine)
    {
        // Yield first: the constructor must not wait for a process that writes at once.
        await Task.Yield();
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            onLine(line);
        }
    }

    private void OnOutput(string line)
    {
        if (RankEvent.Parse(line) is not { } happening)
        {
            _tail.Add(line);
            return;
        }

        if (happening.Event == "fatal")
        {
            _lastWord = happening.Reason;
        }

        _onEvent(happening);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "MLX rank {Rank} (process {ProcessId}) did not end when asked: killed")]
    private static partial void LogKilled(ILogger logger, int rank, int processId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "MLX rank {Rank}: its input was closed already")]
    private static partial void LogInputBroken(ILogger logger, Exception error, int rank);
}
