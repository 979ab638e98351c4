using System.ComponentModel;
using System.Diagnostics;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>Gets the dashboard into a folder of this user: npm fetches and checks the package, its program unpacks itself once.</summary>
/// <param name="folder">Everything goes below it; what is broken there is removed and fetched again.</param>
internal sealed class DashboardInstaller(string folder, TimeProvider time)
{
    private const int Attempts = 3;

    private static readonly TimeSpan FetchLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan UnpackLimit = TimeSpan.FromMinutes(2);

    /// <summary>The npm that fetches.</summary>
    public string Npm { get; init; } = "npm";

    private string Cache => Path.Join(folder, DashboardPackage.Version);

    /// <summary>The dashboard's program.</summary>
    /// <param name="progress">Is told before something that takes long.</param>
    /// <exception cref="DashboardUnavailableException">There is none to be had; the message says why and what to do.</exception>
    public async Task<string> EnsureAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        if (Find() is { } there)
        {
            return there;
        }

        var package = DashboardPackage.Name ?? throw new DashboardUnavailableException("There is no dashboard package for this system.");
        progress($"fetching {package} {DashboardPackage.Version} (about 130 MB, once)");
        var problem = "";
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            problem = await TryInstallAsync(package, cancellationToken).ConfigureAwait(false);
            if (problem.Length == 0 && Find() is { } program)
            {
                return program;
            }

            Remove();
        }

        throw new DashboardUnavailableException(
            $"It could not be installed: {(problem.Length == 0 ? "the package has no dashboard in it." : problem)} Check that npm works here, or set AppHost:Dashboard=false.");
    }

    private string? Find()
    {
        var versions = Path.Join(Cache, "home", "versions");
        return Directory.Exists(versions)
            ? Directory.EnumerateDirectories(versions).Select(version => Path.Join(version, "managed", "aspire-managed")).FirstOrDefault(IsWhole)
            : null;
    }

    /// <summary>A file that was cut off while it was unpacked is much smaller than any dashboard ever was.</summary>
    private static bool IsWhole(string program) => new FileInfo(program) is { Exists: true, Length: > 10_000_000 };

    private async Task<string> TryInstallAsync(string package, CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(Cache);
            string[] install = ["install", "--prefix", Path.Join(Cache, "npm"), "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", $"{package}@{DashboardPackage.Version}"];
            var fetched = await RunAsync(Npm, install, FetchLimit, cancellationToken).ConfigureAwait(false);
            if (fetched.Length > 0)
            {
                return fetched;
            }

            var cli = Path.Join(Cache, "npm", "node_modules", package, "bin", "aspire");
            return await RunAsync(cli, ["setup", "--install-path", Path.Join(Cache, "home"), "--non-interactive", "--nologo"], UnpackLimit, cancellationToken).ConfigureAwait(false);
        }
        catch (Win32Exception missing)
        {
            return $"{missing.Message}.";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return failure.Message;
        }
    }

    /// <returns>Empty when it went well, else the last thing that it said.</returns>
    private async Task<string> RunAsync(string program, string[] arguments, TimeSpan limit, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Cache,
        };
        start.Environment["ASPIRE_HOME"] = Path.Join(Cache, "home");
        start.Environment["ASPIRE_CLI_TELEMETRY_OPTOUT"] = "true";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var over = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        var texts = Task.WhenAll(process.StandardOutput.ReadToEndAsync(CancellationToken.None), process.StandardError.ReadToEndAsync(CancellationToken.None));
        try
        {
            await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            return $"{Path.GetFileName(program)} did not finish within {limit.TotalMinutes:0} min.";
        }

        if (process.ExitCode == 0)
        {
            return "";
        }

        var lines = string.Join('\n', await texts.ConfigureAwait(false)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return $"{Path.GetFileName(program)} ended with {process.ExitCode}: {lines.FirstOrDefault(line => line.Contains("error", StringComparison.OrdinalIgnoreCase)) ?? lines.LastOrDefault() ?? "no output"}.";
    }

    private void Remove()
    {
        if (Directory.Exists(Cache))
        {
            Directory.Delete(Cache, recursive: true);
        }
    }
}

/// <summary>There is no dashboard; the cluster runs on without.</summary>
internal sealed class DashboardUnavailableException(string message) : Exception(message);
