using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Installing;

/// <summary>
/// <c>NodeAgent mlx-environment</c>: finds or makes the Python environment of MLX as an agent does, says what became of it, and ends. For a host that shows this as a step of
/// its own; agents that start meanwhile wait for it.
/// </summary>
internal static partial class EnvironmentCommand
{
    public const string Name = "mlx-environment";

    private const int NotMade = 1;

    public static bool IsMeant(string[] arguments) => arguments is [Name, ..];

    /// <returns>0 also where MLX is not wanted or nothing can make it, which is no fault; 1 when making or asking it failed; else as of every ClusterLlm process.</returns>
    public static async Task<int> RunAsync()
    {
        try
        {
            var builder = Host.CreateApplicationBuilder();
            builder.AddServiceDefaults();
            builder.AddMlxEnvironment();
            using var host = builder.Build();
            await host.StartAsync().ConfigureAwait(false);
            var code = await FindAsync(host.Services).ConfigureAwait(false);
            await host.StopAsync().ConfigureAwait(false);
            return code;
        }
        catch (Exception failure) when (StartFailures.Explain(failure) is { } known)
        {
            await Console.Error.WriteLineAsync(CalmConsoleFormatter.OneLine(known.Message)).ConfigureAwait(false);
            return known.ExitCode;
        }
    }

    private static async Task<int> FindAsync(IServiceProvider services)
    {
        var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var isWanted = InstallPolicy.Decide(services.GetRequiredService<IOptions<MlxOptions>>().Value, services.GetRequiredService<MlxInstaller>().Read()) is not InstallAction.Missing;
        try
        {
            var found = await services.GetRequiredService<MlxEnvironment>().GetAsync(Timeout.InfiniteTimeSpan, stopping).ConfigureAwait(false);
            if (found.Report is { } report)
            {
                var logger = services.GetRequiredService<ILogger<MlxEnvironment>>();
                LogReady(logger, report.Version, report.PythonVersion, found.Python!);
                return 0;
            }

            // The reason is in the log already.
            return isWanted ? NotMade : 0;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return NotMade;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Version} with Python {PythonVersion} is ready: {Python}")]
    private static partial void LogReady(ILogger logger, string version, string pythonVersion, string python);
}
