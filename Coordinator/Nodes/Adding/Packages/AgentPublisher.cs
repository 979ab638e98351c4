using System.Diagnostics;

namespace ClusterLlm.Coordinator.Nodes.Adding.Packages;

/// <summary>Publishes the agent with the .NET SDK, from the sources that this Coordinator was built of.</summary>
internal static class AgentPublisher
{
    private const string Solution = "ClusterLlm.sln";
    private const int LinesShown = 5;

    /// <exception cref="AgentPackageException">There are no sources or no SDK here, or publishing failed.</exception>
    public static async Task PublishAsync(string runtimeIdentifier, string archive, CancellationToken cancellationToken)
    {
        var sources = FindSources() ?? throw new AgentPackageException(
            $"There is no agent for {runtimeIdentifier} at {archive}, and no sources beside this Coordinator to publish it from. On a machine with the sources run '{AgentArchive.PublishCommand(runtimeIdentifier)}' and copy the archive and its .sha256 here.", null);
        var folder = Directory.CreateTempSubdirectory("clusterllm-publish-");
        try
        {
            await RunAsync(sources, runtimeIdentifier, folder.FullName, cancellationToken);
            await AgentArchive.WriteAsync(folder.FullName, archive, cancellationToken);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task RunAsync(string sources, string runtimeIdentifier, string folder, CancellationToken cancellationToken)
    {
        // On Linux the SDK signs the executable of osx-arm64 ad hoc: Apple silicon ends an unsigned one at once.
        var start = new ProcessStartInfo(DotnetPath(), ["publish", Path.Combine(sources, "NodeAgent"), "-c", "Release", "-r", runtimeIdentifier, "--self-contained", "-o", folder, "--nologo", "-v", "quiet"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = sources,
            Environment = { ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1" },
        };
        using var process = Start(start, runtimeIdentifier);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
            {
                var said = string.Join(" / ", $"{await output}\n{await errors}".Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(LinesShown));
                throw new AgentPackageException($"'dotnet publish' for {runtimeIdentifier} ended with exit code {process.ExitCode}: {said}", null);
            }
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static Process Start(ProcessStartInfo start, string runtimeIdentifier)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new AgentPackageException($"The .NET SDK can't be started to publish the agent for {runtimeIdentifier}: {e.Message}", e);
        }
    }

    private static string? FindSources()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, Solution)))
            {
                return folder.FullName;
            }
        }

        return null;
    }

    private static string DotnetPath() =>
        Environment.ProcessPath is { } own && Path.GetFileNameWithoutExtension(own) == "dotnet" ? own : "dotnet";
}
