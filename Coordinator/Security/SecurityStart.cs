using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Opens the authority once the database is there, gives the Coordinator its certificate, and keeps that new.</summary>
internal sealed partial class SecurityStart(
    SecurityState state,
    ClusterCredentials credentials,
    CertificateStore certificates,
    ClusterIdentity identity,
    ClusterHome home,
    IOptions<SecurityOptions> options,
    TimeProvider time,
    ILogger<SecurityStart> logger) : BackgroundService
{
    // The key lives in memory only, so a certificate that outlasts the process serves nobody.
    private static readonly TimeSpan OwnLifetime = TimeSpan.FromDays(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(12);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        state.Authority = ClusterAuthority.OpenOrCreate(home, identity.ClusterId, time.GetUtcNow());
        state.Revoked = await certificates.RevokedAsync(cancellationToken);
        Issue();
        var folder = ClusterAuthority.FolderIn(home);
        LogOpened(state.Authority.Fingerprint, folder);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Pause(), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
            {
                Issue();
            }
        }
    }

    // As short as nodes' certificates, where those are made shorter: one setting to try renewals with.
    private TimeSpan Lifetime => options.Value.CertificateLifetime < OwnLifetime ? options.Value.CertificateLifetime : OwnLifetime;

    private TimeSpan Pause() => Lifetime * 0.5 < LongestPause ? Lifetime * 0.5 : LongestPause;

    private void Issue() => credentials.Replace(state.Authority.IssueForCoordinator(time.GetUtcNow(), Lifetime));

    [LoggerMessage(Level = LogLevel.Information, Message = "This cluster's authority is {Fingerprint}, kept in {Folder}.")]
    private partial void LogOpened(AuthorityFingerprint fingerprint, string folder);
}
