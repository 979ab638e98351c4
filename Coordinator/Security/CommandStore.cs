using ClusterLlm.Coordinator.Data;
using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Security;

/// <summary>
/// The Coordinator's store for commands on its machine, whether it runs or not. Who may read the home folder may use it: that is the same right that the
/// authority's key is guarded by.
/// </summary>
internal sealed class CommandStore : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly ClusterAuthority _authority;

    private CommandStore(IHost host, ClusterAuthority authority) => (_host, _authority) = (host, authority);

    public JoinTokenStore Tokens => _host.Services.GetRequiredService<JoinTokenStore>();

    public ApiKeyStore Keys => _host.Services.GetRequiredService<ApiKeyStore>();

    public ClusterHome Home => _host.Services.GetRequiredService<ClusterHome>();

    public AuthorityFingerprint Authority => _authority.Fingerprint;

    public static async Task<CommandStore> OpenAsync(CancellationToken cancellationToken)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddEnvironmentVariables();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(ClusterHome.From(builder.Configuration));
        builder.Services.AddSingleton<ClusterIdentity>();
        builder.Services.AddSingleton<JoinTokenStore>();
        builder.Services.AddSingleton<ApiKeyStore>();
        builder.AddData();
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        var clusterId = host.Services.GetRequiredService<ClusterIdentity>().ClusterId;
        return new(host, ClusterAuthority.OpenOrCreate(host.Services.GetRequiredService<ClusterHome>(), clusterId, TimeProvider.System.GetUtcNow()));
    }

    public async ValueTask DisposeAsync()
    {
        _authority.Dispose();
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }

    /// <summary>Runs a command on the store; what stands against it is one line and exit code 1.</summary>
    public static async Task<int> RunAsync(Func<CommandStore, Task<int>> command, CancellationToken cancellationToken)
    {
        try
        {
            await using var store = await OpenAsync(cancellationToken);
            return await command(store);
        }
        catch (Exception error) when (error is SettingsException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 1;
        }
    }
}
