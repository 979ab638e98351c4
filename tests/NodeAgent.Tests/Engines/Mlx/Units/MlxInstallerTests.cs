using System.IO.Compression;
using System.Security.Cryptography;
using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx.Units;

/// <summary>Making an environment with the machine's own Python and pip, from a folder with two small wheels.</summary>
public sealed class MlxInstallerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("clusterllm-install-");
    private readonly string _wheels;
    private readonly string _package;

    public MlxInstallerTests()
    {
        _wheels = _folder.CreateSubdirectory("wheels").FullName;
        _package = _folder.CreateSubdirectory("package").FullName;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(Timeout = 120_000)]
    public async Task Make_WithPython3AndHashes_InstallsAndIsCurrentUntilTheRequirementsChange()
    {
        var installer = Installer(RequirePython());
        WriteRequirements("requirements.txt", Pin("clusterllm_probe_a", MakeWheel("clusterllm_probe_a")));

        var python = await installer.MakeAsync(Make(installer), TestContext.Current.CancellationToken);

        Assert.Equal("made by clusterllm_probe_a", await SayAsync(python, "clusterllm_probe_a", TestContext.Current.CancellationToken));
        Assert.True(installer.Read().EnvironmentIsCurrent);
        WriteRequirements("requirements.txt", "other==2.0");
        Assert.False(installer.Read().EnvironmentIsCurrent);
    }

    [Fact(Timeout = 120_000)]
    public async Task Make_WheelWithAnotherHash_FailsAndIsNotTakenForWhole()
    {
        var installer = Installer(RequirePython());
        MakeWheel("clusterllm_probe_a");
        WriteRequirements("requirements.txt", Pin("clusterllm_probe_a", new string('0', 64)));

        var error = await Assert.ThrowsAsync<MlxInstallException>(() => installer.MakeAsync(Make(installer), TestContext.Current.CancellationToken));

        Assert.Contains("'python -m pip' ended with 1", error.Message, StringComparison.Ordinal);
        Assert.Contains(new string('0', 64), error.Message, StringComparison.Ordinal);
        Assert.False(installer.Read().EnvironmentIsCurrent);
    }

    [Fact(Timeout = 120_000)]
    public async Task Make_OnMacOs_TakesBothFilesAndResolvesNothing()
    {
        var installer = Installer(RequirePython(), isMac: true);
        WriteRequirements("requirements-macos.txt", Pin("clusterllm_probe_a", MakeWheel("clusterllm_probe_a", requires: "not-in-any-file")));
        MakeWheel("clusterllm_probe_b");
        WriteRequirements("requirements-macos-compiled.txt", "clusterllm_probe_b==1.0");

        var python = await installer.MakeAsync(Make(installer), TestContext.Current.CancellationToken);

        Assert.Equal("made by clusterllm_probe_a", await SayAsync(python, "clusterllm_probe_a", TestContext.Current.CancellationToken));
        Assert.Equal("made by clusterllm_probe_b", await SayAsync(python, "clusterllm_probe_b", TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = 120_000)]
    public async Task Make_WithUv_AsksItForTheEnvironmentAndThePackages()
    {
        // uv itself only where the machine has it; elsewhere a script of the same two commands, which hands them to python3 and pip.
        var installer = Installer(ProgramFinder.OfThisProcess.Find("uv") is { } real ? Path.GetDirectoryName(real)! : UvScript(RequirePython()));
        WriteRequirements("requirements.txt", Pin("clusterllm_probe_a", MakeWheel("clusterllm_probe_a")));
        var action = Assert.IsType<InstallAction.Make>(InstallPolicy.Decide(Options(), installer.Read()));

        var python = await installer.MakeAsync(action, TestContext.Current.CancellationToken);

        Assert.True(action.IsUv);
        Assert.Equal("made by clusterllm_probe_a", await SayAsync(python, "clusterllm_probe_a", TestContext.Current.CancellationToken));
    }

    /// <summary>Each has a lock of its own on the file, as a process has.</summary>
    [Fact(Timeout = 120_000)]
    public async Task Make_ByThreeAgentsOfOneHomeAtOnce_IsMadeOnceForAll()
    {
        WriteRequirements("requirements.txt", Pin("clusterllm_probe_a", MakeWheel("clusterllm_probe_a")));
        var uv = UvScript(RequirePython());

        var pythons = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Installer(uv)).Select(installer =>
            Task.Run(() => installer.MakeAsync(Make(installer), TestContext.Current.CancellationToken), TestContext.Current.CancellationToken)));

        Assert.Single(pythons.Distinct());
        Assert.Equal(["venv", "pip"], await File.ReadAllLinesAsync(Path.Combine(uv, "calls"), TestContext.Current.CancellationToken));
        Assert.Equal("made by clusterllm_probe_a", await SayAsync(pythons[0], "clusterllm_probe_a", TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Read_NoPythonOnThePath_IsSaidInOneSentence()
    {
        WriteRequirements("requirements.txt", "a==1.0");

        var missing = Assert.IsType<InstallAction.Missing>(InstallPolicy.Decide(Options(), Installer(_package).Read()));

        Assert.Equal("Neither uv nor python3 is on the PATH: install one of them, or set Engines:Mlx:Python.", missing.Reason);
    }

    [Fact]
    public void Read_WheelFolderThatIsNotThere_IsNamed()
    {
        WriteRequirements("requirements.txt", "a==1.0");
        Directory.Delete(_wheels);

        var missing = Assert.IsType<InstallAction.Missing>(InstallPolicy.Decide(Options(), Installer(_package).Read()));

        Assert.Equal($"Engines:Mlx:WheelFolder is '{_wheels}', which does not exist.", missing.Reason);
    }

    private static string RequirePython()
    {
        var python = ProgramFinder.OfThisProcess.Find("python3");
        Assert.SkipUnless(python is not null, "This machine has no python3 on its PATH: install it.");
        return Path.GetDirectoryName(python)!;
    }

    private MlxOptions Options() => new() { WheelFolder = _wheels };

    private MlxInstaller Installer(string searchPath, bool isMac = false) => new(
        Microsoft.Extensions.Options.Options.Create(Options()),
        new ClusterHome(Path.Combine(_folder.FullName, "home")),
        new MlxPackage(_package, isMac),
        new ProgramFinder(searchPath),
        TimeProvider.System,
        NullLogger<MlxInstaller>.Instance);

    private InstallAction.Make Make(MlxInstaller installer) => Assert.IsType<InstallAction.Make>(InstallPolicy.Decide(Options(), installer.Read()));

    private void WriteRequirements(string file, string text) => File.WriteAllText(Path.Combine(_package, file), text + "\n");

    private static string Pin(string name, string hash) => $"{name}==1.0 --hash=sha256:{hash}";

    /// <returns>Its SHA-256, in hexadecimal.</returns>
    private string MakeWheel(string name, string? requires = null)
    {
        var path = Path.Combine(_wheels, $"{name}-1.0-py3-none-any.whl");
        using (var wheel = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            Write(wheel, $"{name}.py", $"SAYS = 'made by {name}'\n");
            Write(wheel, $"{name}-1.0.dist-info/METADATA", $"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{(requires is null ? "" : $"Requires-Dist: {requires}\n")}");
            Write(wheel, $"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
            Write(wheel, $"{name}-1.0.dist-info/RECORD", $"{name}.py,,\n{name}-1.0.dist-info/METADATA,,\n{name}-1.0.dist-info/WHEEL,,\n{name}-1.0.dist-info/RECORD,,\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
    }

    private static void Write(ZipArchive archive, string name, string text)
    {
        using var writer = new StreamWriter(archive.CreateEntry(name).Open());
        writer.Write(text);
    }

    private string UvScript(string pythonFolder)
    {
        var folder = _folder.CreateSubdirectory("uv").FullName;
        var path = Path.Combine(folder, "uv");
        var python = Path.Combine(pythonFolder, "python3");
        File.WriteAllText(path, $"""
            #!/bin/sh
            # uv venv --quiet FOLDER, and uv pip install --quiet --python PYTHON ARGUMENTS
            echo "$1" >>'{folder}/calls'
            case "$1" in
              venv) exec '{python}' -m venv "$3" ;;
              pip) python=$5; shift 5; exec "$python" -m pip install --quiet --disable-pip-version-check "$@" ;;
            esac
            exit 2
            """);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return folder;
    }

    private static async Task<string> SayAsync(string python, string module, CancellationToken cancellationToken)
    {
        var result = await ToolRun.RunAsync(python, ["-c", $"import {module}; print({module}.SAYS)"], new Dictionary<string, string?>(), TimeSpan.FromMinutes(1), cancellationToken);
        Assert.Equal(0, result.ExitCode);
        return result.Output.Trim();
    }
}
