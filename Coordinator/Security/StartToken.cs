using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Once the ports are known: notes where agents reach this Coordinator, and writes the token for the agents of this start.</summary>
internal sealed class StartToken(
    JoinTokenStore tokens, SecurityState state, ListeningPorts ports, ClusterHome home, IOptions<SecurityOptions> options, IOptions<ClusterOptions> cluster) : IHostedLifecycleService
{
    /// <summary>Marks tokens of starts: those of earlier ones are revoked.</summary>
    private const string Note = "agents of this start";

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        var addresses = CoordinatorAddresses.Of(cluster.Value.GrpcIPAddress, ports.Grpc, CoordinatorAddresses.OwnAddresses());
        CoordinatorAddresses.Write(home, addresses);
        await tokens.RevokeNotedAsync(Note, cancellationToken);
        if (options.Value.StartTokenFile is { Length: > 0 } file)
        {
            var request = new TokenRequest(TokenRequest.DefaultLifetime, options.Value.StartTokenUses, NodeId: null, Note);
            var token = await tokens.CreateAsync(request, state.Authority.Fingerprint, addresses, cancellationToken);
            var path = Path.GetFullPath(file);
            PrivateFiles.CreateDirectory(Path.GetDirectoryName(path)!);
            PrivateFiles.Write(path, JoinTokenText.Write(token) + "\n");
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
