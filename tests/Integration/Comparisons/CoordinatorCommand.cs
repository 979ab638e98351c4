using System.Diagnostics;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.Integration.Comparisons;

/// <summary>A command of the Coordinator as its own process, as a person types it.</summary>
internal static class CoordinatorCommand
{
    /// <returns>Its exit code, and all that it printed.</returns>
    public static async Task<(int Code, string Output)> RunAsync(string home, string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [BuildFacts.Read().Outputs["Coordinator"], .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["CLUSTERLLM_HOME"] = home;
        // Tables are cut at the width of the terminal, and there is none.
        start.Environment["COLUMNS"] = "400";
        using var process = Process.Start(start)!;
        try
        {
            var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, string.Concat(output));
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}
