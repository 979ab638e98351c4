using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.AspNetCore.Http.Features;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>Membership in a cluster: the certificate, the lease, and who is answered.</summary>
internal static class JoiningExtensions
{
    public static void AddJoining(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(AgentCallRules.Rules);
        builder.Services.AddSingleton(services => CredentialFolder.Of(services.GetRequiredService<ClusterHome>(), services.GetRequiredService<NodeIdentity>().Id));
        builder.Services.AddSingleton(LoadCredentials);
        builder.Services.AddSingleton<PeerListener>();
        builder.Services.AddSingleton<JoinTokenSource>();
        builder.Services.AddSingleton<EnrollmentClient>();
        builder.Services.AddSingleton<Revocations>();
        builder.Services.AddSingleton<ICoordinatorLink, CoordinatorLink>();
        builder.Services.AddSingleton<MembershipClient>();
        builder.Services.AddHostedService<LeaseKeeper>();
        builder.Services.AddHostedService<CertificateRenewer>();
    }

    /// <summary>Nothing behind this answers without a certificate, but for the liveness probe of this machine.</summary>
    public static void UsePeerGate(this WebApplication app) => app.UseWhen(
        context => !IsLivenessProbe(context),
        guarded => guarded.UseMiddleware<PeerGate>());

    /// <summary>The probe's port listens on loopback and speaks no TLS; the gRPC port always does.</summary>
    private static bool IsLivenessProbe(HttpContext context) =>
        context.Request.Path == HealthEndpoints.AlivePath
        && HttpMethods.IsGet(context.Request.Method)
        && context.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is null
        && !context.Request.IsHttps;

    private static ClusterCredentials LoadCredentials(IServiceProvider services)
    {
        var folder = services.GetRequiredService<CredentialFolder>();
        var identity = services.GetRequiredService<NodeIdentity>();
        var credentials = new ClusterCredentials(services.GetRequiredService<TimeProvider>());
        if (folder.Read() is { } kept)
        {
            if (kept.Self.NodeId != identity.Id)
            {
                throw new SettingsException($"{folder.Path} holds the certificate of {kept.Self}, but this is node {identity.Id}. Set Node:Id, or delete the folder and join anew.");
            }

            credentials.Replace(kept);
            credentials.ReplaceRevoked([.. folder.ReadRecord().Revoked]);
        }
        else if (services.GetRequiredService<JoinTokenSource>().Read() is { Token: null, IsMissing: false, Problem: { } problem })
        {
            throw new SettingsException(problem);
        }

        return credentials;
    }
}
