using System.Runtime.InteropServices;
using ClusterLlm.Coordinator.Nodes.Adding;
using ClusterLlm.Coordinator.Nodes.Adding.Packages;
using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>The agent for this machine, published once for all tests that install it.</summary>
public sealed class PublishedAgent : IAsyncLifetime
{
    /// <summary>Collection of the tests that publish or install: one at a time, since they share the SDK's intermediate files, and namespaces cost memory.</summary>
    public const string Tests = "published agent";

    internal static string Platform => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64";

    /// <summary>A folder that keeps the archive between runs; for work on these tests, when the agent itself does not change.</summary>
    private static string? Kept { get; } = Environment.GetEnvironmentVariable("CLUSTERLLM_TEST_AGENTS") is { Length: > 0 } named ? named : null;

    /// <summary>Where a Coordinator finds it.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("published-agent-").FullName;

    /// <summary>The setting for a Coordinator.</summary>
    public string Setting => $"--Adding:PackagesDirectory={Folder}";

    internal AgentPackage Package { get; private set; } = new("", "", "", 0, 0);

    public async ValueTask InitializeAsync()
    {
        if (SshMachine.Missing is null)
        {
            if (Kept is not null)
            {
                var kept = await PublishAsync(Kept, Platform, TestContext.Current.CancellationToken);
                File.Copy(kept.Path, Path.Combine(Folder, Path.GetFileName(kept.Path)));
                File.Copy(kept.Path + ".sha256", Path.Combine(Folder, Path.GetFileName(kept.Path) + ".sha256"));
            }

            Package = await PublishAsync(Folder, Platform, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Runs something while the folder holds another build, as after an update of the sources.</summary>
    internal async Task WithAnotherBuildAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        var aside = $"{Folder}-aside";
        Directory.Move(Folder, aside);
        var unpacked = Directory.CreateTempSubdirectory("another-build-").FullName;
        try
        {
            await using (var archive = File.OpenRead(Path.Combine(aside, Path.GetFileName(Package.Path))))
            await using (var unzipped = new System.IO.Compression.GZipStream(archive, System.IO.Compression.CompressionMode.Decompress))
            {
                await System.Formats.Tar.TarFile.ExtractToDirectoryAsync(unzipped, unpacked, overwriteFiles: false, cancellationToken);
            }

            await File.WriteAllTextAsync(Path.Combine(unpacked, "build.txt"), "another", cancellationToken);
            await AgentArchive.WriteAsync(unpacked, Package.Path, cancellationToken);
            await work();
        }
        finally
        {
            Directory.Delete(unpacked, recursive: true);
            Directory.Delete(Folder, recursive: true);
            Directory.Move(aside, Folder);
        }
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    internal static async Task<AgentPackage> PublishAsync(string folder, string platform, CancellationToken cancellationToken)
    {
        using var packages = new AgentPackages(Options.Create(new AddingOptions { PackagesDirectory = folder }), new ClusterHome(folder));
        return await packages.GetAsync(platform, null, cancellationToken);
    }
}

[CollectionDefinition(PublishedAgent.Tests)]
public sealed class PublishedAgentTests : ICollectionFixture<PublishedAgent>;
