using ClusterLlm.ServiceDefaults.Security;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Certificates, tokens, and who is answered.</summary>
internal static class SecurityExtensions
{
    /// <summary>Must come after the database and before what calls agents.</summary>
    public static void AddSecurity(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<SecurityOptions>().BindConfiguration(SecurityOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<SecurityOptions>, SecurityOptionsValidator>();
        builder.Services.AddSingleton(CoordinatorCallRules.Rules);
        builder.Services.AddSingleton<ClusterCredentials>();
        builder.Services.AddSingleton<PeerListener>();
        builder.Services.AddSingleton<SecurityState>();
        builder.Services.AddSingleton<JoinTokenStore>();
        builder.Services.AddSingleton<CertificateStore>();
        builder.Services.AddSingleton<AttemptLimiter>();
        builder.Services.AddSingleton<HttpsCertificate>();
        builder.Services.AddSingleton<ApiKeyStore>();
        builder.Services.AddSingleton<ApiKeyRing>();
        builder.Services.AddRequestRates();
        builder.Services.AddSingleton<OtherMachines>();
        builder.Services.AddSingleton<Enrollments>();
        builder.Services.AddHostedService<SecurityStart>();
        builder.Services.AddHostedService<LocalKey>();
        builder.Services.AddHostedService<StartToken>();
    }

    /// <summary>What stands before the HTTP API: browsers' pages, rates, keys. Rates first, so that a flood without a key is one, too.</summary>
    public static void UseApiGuards(this WebApplication app) => app.UseWhen(
        context => !IsGrpc(context),
        guarded => guarded.UseMiddleware<BrowserGuard>().UseRateLimiter().UseMiddleware<ApiKeyGate>());

    /// <summary>gRPC is for those with a certificate; what else there is has other guards.</summary>
    public static void UsePeerGate(this WebApplication app) => app.UseWhen(
        IsGrpc,
        guarded => guarded.UseMiddleware<PeerGate>());

    public static void MapSecurity(this IEndpointRouteBuilder routes)
    {
        routes.MapGrpcService<EnrollmentGrpcService>();
        routes.MapTokenEndpoints();
        routes.MapKeyEndpoints();
    }

    private static bool IsGrpc(HttpContext context) => context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;
}
