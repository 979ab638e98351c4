using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Security;

/// <summary>
/// A key of this start, with all scopes, for programs of the same user on this machine such as the AppHost: in a file that is its owner's alone, and only
/// where keys are required.
/// </summary>
internal sealed class LocalKey(ApiKeyRing ring, ClusterHome home, IOptions<SecurityOptions> security, IOptions<ClusterOptions> cluster) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        PrivateFiles.CreateDirectory(Path.GetDirectoryName(home.LocalKeyPath)!);
        File.Delete(home.LocalKeyPath);
        if (security.Value.RequireApiKeys || cluster.Value.ListensBeyondLoopback)
        {
            var (id, text) = ApiKeyText.Create();
            ring.AddLocal(id, text);
            PrivateFiles.Write(home.LocalKeyPath, text);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
