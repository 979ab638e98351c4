using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Installing;

/// <summary>Makes the environment under the home folder, from the pinned requirements.</summary>
internal sealed partial class MlxInstaller(IOptions<MlxOptions> options, ClusterHome home, MlxPackage package, ProgramFinder programs, TimeProvider time, ILogger<MlxInstaller> logger)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    private string Folder => Path.Combine(home.Path, "mlx");

    /// <summary>A copy of the requirements that the environment was made from; written last, so that what was broken off is never taken for whole.</summary>
    private string Stamp => Path.Combine(Folder, "clusterllm-requirements.txt");

    public InstallFacts Read() => new(
        OperatingSystem.IsMacOS(),
        Interpreter(Folder),
        File.Exists(Interpreter(Folder)) && File.Exists(Stamp) && File.ReadAllText(Stamp) == Pinned(),
        programs.Find("uv"),
        programs.Find("python3"),
        File.Exists(options.Value.Python),
        Directory.Exists(options.Value.WheelFolder));

    /// <summary>
    /// Makes it and returns its interpreter. In place of an older one: an environment can't be moved, its scripts name its path. The agents of one home folder start together and
    /// share it: one makes it, the others wait and take what it made.
    /// </summary>
    /// <exception cref="MlxInstallException">A step failed, a hash that does not fit among them.</exception>
    public async Task<string> MakeAsync(InstallAction.Make action, CancellationToken cancellationToken)
    {
        home.Create();
        using var only = HomeLock.TryTake(home.Path, HomeLock.MlxEnvironment) ?? await WaitAsync(cancellationToken).ConfigureAwait(false);
        if (Read().EnvironmentIsCurrent)
        {
            return Interpreter(Folder);
        }

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

        await File.WriteAllTextAsync(Stamp, Pinned(), cancellationToken).ConfigureAwait(false);
        LogMade(Folder);
        return Interpreter(Folder);
    }

    private Task<HomeLock> WaitAsync(CancellationToken cancellationToken)
    {
        LogWaiting(Folder);
        return HomeLock.TakeAsync(home.Path, HomeLock.MlxEnvironment, time, cancellationToken);
    }

    private string Pinned() => string.Concat(package.Requirements.Select(File.ReadAllText));

    private List<string[]> Commands(InstallAction.Make action)
    {
        var python = Interpreter(Folder);
        string[] make = action.IsUv ? [action.MakeWith, "venv", "--quiet", Folder] : [action.MakeWith, "-m", "venv", Folder];
        string[] install = action.IsUv
            ? [action.MakeWith, "pip", "install", "--quiet", "--python", python]
            : [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        string[] source = options.Value.WheelFolder is { } wheels ? ["--no-index", "--find-links", wheels] : [];
        return [make, .. package.Requirements.Select(file => (string[])[.. install, .. source, .. Checks(file), "-r", file])];
    }

    /// <summary>All that is needed is pinned in the files: without resolving, a wrong pin shows here and not as another version.</summary>
    private static string[] Checks(string file) =>
        File.ReadAllText(file).Contains("--hash=", StringComparison.Ordinal) ? ["--no-deps", "--require-hashes"] : ["--no-deps"];

    private static string Interpreter(string folder) => Path.Combine(folder, "bin", "python");

    [LoggerMessage(Level = LogLevel.Information, Message = "Another process makes the Python environment of MLX at {Folder}: waiting for it")]
    private partial void LogWaiting(string folder);

    [LoggerMessage(Level = LogLevel.Information, Message = "Making the Python environment of MLX at {Folder} with {Tool}")]
    private partial void LogMaking(string folder, string tool);

    [LoggerMessage(Level = LogLevel.Information, Message = "The Python environment of MLX at {Folder} is made")]
    private partial void LogMade(string folder);
}

/// <summary>The Python environment can't be made; the message says which step and why.</summary>
internal sealed class MlxInstallException(string message) : Exception(message);
