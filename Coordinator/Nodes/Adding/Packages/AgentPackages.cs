using System.Reflection;
using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes.Adding.Packages;

/// <summary>The agents' archives of this release, published when they are first needed.</summary>
internal sealed class AgentPackages(IOptions<AddingOptions> options, ClusterHome home) : IDisposable
{
    /// <summary>Machines that an agent is made for.</summary>
    public static readonly string[] RuntimeIdentifiers = ["osx-arm64", "linux-x64", "linux-arm64"];

    // Two machines that are added at once must not publish twice.
    private readonly SemaphoreSlim _gate = new(1);
    private readonly Dictionary<string, ((DateTime, long) Stamp, AgentPackage Package)> _read = new(StringComparer.Ordinal);

    /// <summary>With the commit that the build was made of, so that a new build is a new archive.</summary>
    private static string Release { get; } =
        (Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Replace('+', '-');

    public string PathOf(string runtimeIdentifier) => Path.Combine(
        options.Value.PackagesDirectory ?? Path.Combine(home.Path, "packages"), $"clusterllm-agent-{Release}-{runtimeIdentifier}.tar.gz");

    /// <param name="progress">Told what is done, in words.</param>
    /// <exception cref="AgentPackageException">There is none, and it can't be published here.</exception>
    public async Task<AgentPackage> GetAsync(string runtimeIdentifier, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var path = PathOf(runtimeIdentifier);
            if (!File.Exists(path))
            {
                progress?.Report($"publishing the agent for {runtimeIdentifier}, once for this release");
                await AgentPublisher.PublishAsync(runtimeIdentifier, path, cancellationToken);
            }

            // Hashing and unpacking take a second, and /join.sh may be asked for by anybody.
            var stamp = (File.GetLastWriteTimeUtc(path), new FileInfo(path).Length);
            if (!_read.TryGetValue(path, out var known) || known.Stamp != stamp)
            {
                _read[path] = known = (stamp, await AgentArchive.ReadAsync(runtimeIdentifier, path, cancellationToken));
            }

            return known.Package;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Whether the archive is there already.</summary>
    public bool Has(string runtimeIdentifier) => File.Exists(PathOf(runtimeIdentifier));

    public void Dispose() => _gate.Dispose();
}
