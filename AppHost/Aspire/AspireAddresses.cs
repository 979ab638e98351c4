using System.Security.Cryptography;
using ClusterLlm.AppHost.Standalone;
using Microsoft.Extensions.Configuration;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>Where dashboard, telemetry and resource service listen: plain HTTP on loopback, which needs no certificate. What a person set is kept.</summary>
/// <param name="Arguments">For the configuration of the Aspire builder. Not environment variables: the started processes would inherit those.</param>
/// <param name="LoginUrl">Of the dashboard, with its token.</param>
internal sealed record AspireAddresses(string[] Arguments, string LoginUrl)
{
    private const int DefaultDashboardPort = 18888;
    private const string DashboardUrls = "ASPNETCORE_URLS";
    private const string Token = "ASPIRE_DASHBOARD_FRONTEND_BROWSERTOKEN";

    public static AspireAddresses Choose(IConfiguration environment)
    {
        var free = LoopbackPort.FindFree(3);
        var settings = new Dictionary<string, string>
        {
            [DashboardUrls] = $"http://127.0.0.1:{(LoopbackPort.IsFree(DefaultDashboardPort) ? DefaultDashboardPort : free[0])}",
            ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://127.0.0.1:{free[1]}",
            ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = $"http://127.0.0.1:{free[2]}",
            ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
            [Token] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
        };
        foreach (var name in settings.Keys.ToList())
        {
            settings[name] = environment[name] is { Length: > 0 } set ? set : settings[name];
        }

        // Else its orchestrator ends the processes some seconds after this one, and the next start finds them still there.
        settings["DcpPublisher:WaitForResourceCleanup"] = "true";
        var dashboard = settings[DashboardUrls].Split(';')[0].TrimEnd('/');
        return new([.. settings.Select(setting => $"--{setting.Key}={setting.Value}")], $"{dashboard}/login?t={settings[Token]}");
    }
}
