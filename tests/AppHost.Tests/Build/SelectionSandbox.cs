using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Xml.Linq;

namespace ClusterLlm.AppHost.Tests.Build;

/// <summary>
/// A repository with nothing but the selection: the real <c>AppHost/build</c>, a program without code, and NuGet settings whose only source is a folder of
/// made-up packages. It has a package folder of its own, so that nothing made up is ever found elsewhere.
/// </summary>
internal sealed class SelectionSandbox : IDisposable
{
    public const string Version = "13.5.3";

    private readonly string _root = Directory.CreateTempSubdirectory("clusterllm-selection-").FullName;

    private SelectionSandbox(string source)
    {
        Directory.CreateDirectory(Path.Join(_root, "feed"));
        CopyFolder(Path.Join(Repository(), "AppHost", "build"), Path.Join(_root, "AppHost", "build"));
        Write("NuGet.config", $"""
            <configuration>
              <packageSources><clear /><add key="only" value="{source}" allowInsecureConnections="true" /></packageSources>
              <config><add key="globalPackagesFolder" value="packages" /></config>
            </configuration>
            """);
        Write("Directory.Build.props", """
            <Project><PropertyGroup>
              <TargetFramework>net10.0</TargetFramework>
              <ArtifactsPath>$(MSBuildThisFileDirectory)artifacts</ArtifactsPath>
            </PropertyGroup></Project>
            """);
        Write("Directory.Packages.props", $"""
            <Project>
              <PropertyGroup><ManagePackageVersionsCentrally>true</ManagePackageVersionsCentrally><AspireVersion>{Version}</AspireVersion></PropertyGroup>
              <ItemGroup>
                <PackageVersion Include="Aspire.Hosting.AppHost" Version="[{Version}]" />
                <PackageVersion Include="Aspire.Hosting.Python" Version="[{Version}]" />
              </ItemGroup>
            </Project>
            """);
        Write("AppHost/AppHost.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <Import Project="build/AspireSelection.props" />
              <PropertyGroup><OutputType>Exe</OutputType><UseAppHost>false</UseAppHost></PropertyGroup>
              <Import Project="build/AspireSelection.targets" />
            </Project>
            """);
    }

    /// <summary>What the selection wrote down; its time of writing tells whether it asked anew.</summary>
    public string File => Path.Join(_root, "artifacts", "obj", "AppHost", "aspire-selection.props");

    public string Verdict => Property("AspireVerdict");

    public string Reason => Property("AspireReason");

    /// <summary>Until when it is not asked again.</summary>
    public DateTimeOffset Until => new(long.Parse(Property("AspireSelectionUntil"), System.Globalization.CultureInfo.InvariantCulture), TimeSpan.Zero);

    /// <summary>Whether the program was restored with the package.</summary>
    public bool References(string package) =>
        System.IO.File.ReadAllText(Path.Join(_root, "artifacts", "obj", "AppHost", "project.assets.json")).Contains($"\"{package}/{Version}\"", StringComparison.OrdinalIgnoreCase);

    public static string Dashboard => $"Aspire.Dashboard.Sdk.{Platform}";

    private static string Platform =>
        $"{(OperatingSystem.IsMacOS() ? "osx" : OperatingSystem.IsWindows() ? "win" : "linux")}-{RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}";

    /// <param name="runtime">Whether the source has the dashboard and the orchestrator too.</param>
    public static SelectionSandbox WithPackages(bool runtime)
    {
        var sandbox = new SelectionSandbox("feed");
        string[] packages = ["Aspire.Hosting.AppHost", "Aspire.Hosting.Python", .. runtime ? [Dashboard, $"Aspire.Hosting.Orchestration.{Platform}"] : Array.Empty<string>()];
        foreach (var package in packages)
        {
            sandbox.Pack(package);
        }

        return sandbox;
    }

    public static SelectionSandbox WithSource(string source) => new(source);

    public async Task<(int ExitCode, string Output)> RestoreAsync(CancellationToken cancellationToken, params string[] properties)
    {
        var start = new ProcessStartInfo("dotnet", ["restore", "AppHost/AppHost.csproj", "-nologo", "-nodereuse:false", .. properties.Select(property => $"-p:{property}")])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = _root,
        };
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["NUGET_PACKAGES"] = null;
        start.Environment["AspireHosting"] = null;
        using var restore = Process.Start(start)!;
        var output = await restore.StandardOutput.ReadToEndAsync(cancellationToken);
        await restore.WaitForExitAsync(cancellationToken);
        return (restore.ExitCode, output);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string Property(string name) => XDocument.Load(File).Descendants(name).Single().Value;

    private void Pack(string id)
    {
        using var package = ZipFile.Open(Path.Join(_root, "feed", $"{id}.{Version}.nupkg"), ZipArchiveMode.Create);
        using var specification = new StreamWriter(package.CreateEntry($"{id}.nuspec").Open());
        specification.Write($"""
            <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
              <metadata><id>{id}</id><version>{Version}</version><authors>test</authors><description>Made up.</description></metadata>
            </package>
            """);
    }

    private void Write(string path, string text) => System.IO.File.WriteAllText(Path.Join(_root, path), text);

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            System.IO.File.Copy(file, Path.Join(to, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.EnumerateDirectories(from))
        {
            CopyFolder(folder, Path.Join(to, Path.GetFileName(folder)));
        }
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!System.IO.File.Exists(Path.Join(folder.FullName, "ClusterLlm.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException($"No ClusterLlm.sln above {AppContext.BaseDirectory}.");
        }

        return folder.FullName;
    }
}
