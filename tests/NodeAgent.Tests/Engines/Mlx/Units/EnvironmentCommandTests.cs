using System.Diagnostics;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx.Units;

/// <summary>The step that a host shows: how the program ends, and what it says.</summary>
public sealed class EnvironmentCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("clusterllm-environment-");

    [Fact(Timeout = 60_000)]
    public async Task Run_NotWantedHere_SaysWhatToSetAndIsNoFault()
    {
        var (exitCode, output) = await RunAsync([("CLUSTERLLM__Engines__Mlx__Install", "false")], TestContext.Current.CancellationToken);

        Assert.Equal(0, exitCode);
        Assert.Contains("Engines:Mlx:Python", output);
    }

    [Fact(Timeout = 60_000)]
    public async Task Run_NoPython_SaysWhatToInstallAndIsNoFault()
    {
        var (exitCode, output) = await RunAsync([("CLUSTERLLM__Engines__Mlx__Install", "true"), ("PATH", _folder.FullName)], TestContext.Current.CancellationToken);

        Assert.Equal(0, exitCode);
        Assert.Contains("Neither uv nor python3 is on the PATH", output);
    }

    [Fact(Timeout = 60_000)]
    public async Task Run_InstallationFails_SaysWhichStepAndWhyAndIsAFault()
    {
        Program("python3", "echo 'no index can be reached' >&2; exit 5");

        var (exitCode, output) = await RunAsync([("CLUSTERLLM__Engines__Mlx__Install", "true"), ("PATH", $"{_folder.FullName}:/usr/bin:/bin")], TestContext.Current.CancellationToken);

        Assert.Equal(1, exitCode);
        Assert.Contains("ended with 5: no index can be reached", output);
    }

    [Fact(Timeout = 60_000)]
    public async Task Run_WorkingInterpreter_TellsItsVersions()
    {
        var python = Program("python", """echo '{"python": "3.11.7", "mlx": "0.32.4", "mlx_lm": "0.32.2", "fault": null, "metal": false, "ring": true, "jaccl": false, "device": {}, "families": [], "model_types": []}'""");

        var (exitCode, output) = await RunAsync([("CLUSTERLLM__Engines__Mlx__Python", python)], TestContext.Current.CancellationToken);

        Assert.Equal(0, exitCode);
        Assert.Contains("mlx 0.32.4, mlx-lm 0.32.2 with Python 3.11.7 is ready", output);
    }

    [Fact(Timeout = 60_000)]
    public async Task Run_BadSetting_IsRefusedAsByAnAgent()
    {
        var (exitCode, output) = await RunAsync([("CLUSTERLLM__Engines__Mlx__QueueLimit", "many")], TestContext.Current.CancellationToken);

        Assert.Equal(2, exitCode);
        Assert.Contains("QueueLimit", output);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string Program(string name, string body)
    {
        var path = Path.Join(_folder.FullName, name);
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return path;
    }

    private async Task<(int ExitCode, string Output)> RunAsync((string Name, string Value)[] environment, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(EnvironmentCommand).Assembly.Location, EnvironmentCommand.Name])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["CLUSTERLLM_HOME"] = Path.Join(_folder.FullName, "home");
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output + await errors);
    }
}
