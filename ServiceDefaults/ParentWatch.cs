using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.ServiceDefaults;

/// <summary>
/// Ends the process when the host that started it is gone. The host holds the other end of what is read here and never writes to it; the system closes it
/// however the host ends, also on SIGKILL, so end of file means that nobody supervises this process any more.
/// </summary>
internal sealed partial class ParentWatch(
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<ParentWatch> logger) : IHostedService, IDisposable
{
    /// <summary>
    /// Set by a host that wants to be watched: <c>stdin</c>, or the absolute path of its <see cref="LifeLine"/> where somebody else starts the processes and holds their standard input.
    /// </summary>
    public const string VariableName = "CLUSTERLLM_PARENT";

    private const string StandardInput = "stdin";

    /// <summary>From the wish to stop, whoever had it, to the end of the process: host timeout (5 s) and what it takes to dispose.</summary>
    internal static readonly TimeSpan HardDeadline = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan ParentInterval = TimeSpan.FromSeconds(1);

    private ITimer? _deadline;
    private ITimer? _parentLook;
    private CancellationTokenRegistration _stopping;

    /// <summary>What is read until its end; replaced in tests.</summary>
    internal Func<Stream> OpenInput { get; init; } = Console.OpenStandardInput;

    /// <summary>
    /// Whether the process that started this one is watched too. Aspire's orchestrator starts <c>dotnet run</c>, and knows nothing of what that has started when it is killed.
    /// </summary>
    internal bool WatchesParentProcess { get; init; }

    /// <summary>Replaced in tests.</summary>
    internal Func<int> ReadParent { get; init; } = ParentProcess.Id;

    /// <summary>Ends the process at once; replaced in tests.</summary>
    internal Action EndProcess { get; init; } = KillSelf;

    /// <summary>Standard input is the parent's own; a line leads past it.</summary>
    public static bool LeadsPastParent(string value) => !IsStandardInput(value);

    public static bool IsAskedFor(IConfiguration configuration) => IsStandardInput(configuration[VariableName]) || Path.IsPathRooted(configuration[VariableName]);

    /// <summary>What to read until its end.</summary>
    /// <param name="value">As <see cref="IsAskedFor"/> accepts it.</param>
    /// <exception cref="IOException">Nobody is at the other end.</exception>
    public static Stream Open(string value) => IsStandardInput(value) ? Console.OpenStandardInput() : LifeLine.Connect(value);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        ProcessGroup.Separate();
        _stopping = lifetime.ApplicationStopping.Register(ArmDeadline);
        // A thread of its own: a read from standard input blocks and can't be cancelled on Unix.
        new Thread(ReadToEnd) { IsBackground = true, Name = nameof(ParentWatch) }.Start();
        if (WatchesParentProcess)
        {
            var parent = ReadParent();
            _parentLook = time.CreateTimer(_ => LookForParent(parent), null, ParentInterval, ParentInterval);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Leaves the deadline armed: what hangs may be the disposal of another service.</summary>
    public void Dispose()
    {
        _parentLook?.Dispose();
        _stopping.Dispose();
    }

    private void LookForParent(int parent)
    {
        if (ReadParent() != parent && !lifetime.ApplicationStopping.IsCancellationRequested)
        {
            LogParentGone();
            lifetime.StopApplication();
        }
    }

    private static bool IsStandardInput(string? value) => string.Equals(value, StandardInput, StringComparison.OrdinalIgnoreCase);

    private void ReadToEnd()
    {
        try
        {
            using var input = OpenInput();
            Span<byte> ignored = stackalloc byte[256];
            while (input.Read(ignored) > 0)
            {
                // A parent that writes something is alive.
            }

            LogParentGone();
        }
        catch (IOException failure)
        {
            LogInputFailed(failure);
        }

        lifetime.StopApplication();
    }

    private void ArmDeadline() => _deadline ??= time.CreateTimer(_ => OnDeadline(), null, HardDeadline, Timeout.InfiniteTimeSpan);

    private void OnDeadline()
    {
        LogDeadline(HardDeadline.TotalSeconds);
        EndProcess();
    }

    /// <summary>Kill and not <see cref="Environment.Exit"/>, which waits for exit handlers: they may be what hangs.</summary>
    private static void KillSelf()
    {
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The host that started this process is gone, stopping.")]
    private partial void LogParentGone();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The host that started this process can't be watched, so it is taken for gone: stopping.")]
    private partial void LogInputFailed(Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "The process has not stopped within {Seconds} s: ending it.")]
    private partial void LogDeadline(double seconds);
}
