using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Installing;

/// <summary>Makes the environment under the home folder, from the pinned requirements.</summary>
internal sealed partial class MlxInstaller(IOptions<MlxOptions> options, ClusterHome home, MlxPackage package, ILogger<MlxInstaller> logger)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    private string Folder => Path.Combine(home.Path, "mlx");

    /// <summary>A copy of the requirements that the environment was made from.</summary>
    private string Stamp => Path.Combine(Folder, "clusterllm-requirements.txt");

    public InstallFacts Read() => new(
        OperatingSystem.IsMacOS(),
        Interpreter(Folder),
        File.Exists(Interpreter(Folder)) && File.Exists(Stamp) && File.ReadAllText(Stamp) == File.ReadAllText(package.Requirements),
        ToolRun.Find("uv"),
        ToolRun.Find("python3"),
        File.Exists(options.Value.Python),
        Directory.Exists(options.Value.WheelFolder));

    /// <summary>Makes it and returns its interpreter; beside the old one and moved, so that a broken attempt leaves nothing half made.</summary>
    /// <exception cref="MlxInstallException">A step failed.</exception>
    public async Task<string> MakeAsync(InstallAction.Make action, CancellationToken cancellationToken)
    {
        home.Create();
        LogMaking(Folder, action.MakeWith);
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }

        foreach (var command in Commands(action))
        {
            var result = await ToolRun.RunAsync(command[0], command[1..], new Dictionary<string, string?>(), Limit, cancellationToken).ConfigureAwait(false);
            if (result.ExitCode != 0)
            {
                throw new MlxInstallException($"The Python environment at {Folder} could not be made: '{Path.GetFileName(command[0])} {command[1]} {command[2]}' ended with {result.ExitCode}: {result.Tail}");
            }
        }

        File.Copy(package.Requirements, Stamp, overwrite: true);
        LogMade(Folder);
        return Interpreter(Folder);
    }

    private List<string[]> Commands(InstallAction.Make action)
    {
        string[] source = options.Value.WheelFolder is { } wheels ? ["--no-index", "--find-links", wheels] : [];
        string[] hashes = File.ReadAllText(package.Requirements).Contains("--hash=", StringComparison.Ordinal) ? ["--require-hashes"] : [];
        string[] install = [.. source, .. hashes, "-r", package.Requirements];
        return action.IsUv
            ? [[action.MakeWith, "venv", "--quiet", Folder], [action.MakeWith, "pip", "install", "--quiet", "--python", Interpreter(Folder), .. install]]
            : [[action.MakeWith, "-m", "venv", Folder], [Interpreter(Folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", .. install]];
    }

    private static string Interpreter(string folder) => Path.Combine(folder, "bin", "python");

    [LoggerMessage(Level = LogLevel.Information, Message = "Making the Python environment of MLX at {Folder} with {Tool}")]
    private partial void LogMaking(string folder, string tool);

    [LoggerMessage(Level = LogLevel.Information, Message = "The Python environment of MLX at {Folder} is made")]
    private partial void LogMade(string folder);
}

/// <summary>The Python environment can't be made; the message says which step and why.</summary>
internal sealed class MlxInstallException(string message) : Exception(message);
