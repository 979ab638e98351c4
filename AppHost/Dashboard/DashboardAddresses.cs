using System.Collections.Immutable;
using System.Security.Cryptography;
using ClusterLlm.AppHost.Standalone;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>Where the dashboard, its telemetry intake and the host's resource service listen, and the keys that open them. All on loopback.</summary>
internal sealed record DashboardAddresses(
    string FrontendUrl, string TelemetryUrl, string TelemetryHttpUrl, string ResourceUrl, string BrowserToken, string TelemetryKey, string ResourceKey)
{
    /// <summary>Carries a key.</summary>
    public const string HeadersVariable = "OTEL_EXPORTER_OTLP_HEADERS";

    private const int InstanceCharacters = 8;

    public const int DefaultPort = 18888;

    public string LoginUrl => $"{FrontendUrl}/login?t={BrowserToken}";

    /// <summary>Tells this run of the host from others in telemetry.</summary>
    public string Instance { get; } = RandomNumberGenerator.GetString("bcdfghjkmnpqrstvwxyz", InstanceCharacters);

    /// <summary>Name of a process's row: the dashboard puts telemetry to the row called service name, hyphen, service instance.</summary>
    public string RowOf(string process) => $"{process}-{Instance}";

    /// <summary>Chosen before any process starts, so that each can be told where its telemetry goes.</summary>
    /// <param name="wanted">The port of its pages that a person set; null prefers 18888, 0 takes any.</param>
    public static DashboardAddresses Choose(int? wanted)
    {
        var free = LoopbackPort.FindFree(4);
        var pages = wanted switch
        {
            null when LoopbackPort.IsFree(DefaultPort) => DefaultPort,
            null or 0 => free[0],
            { } port => port,
        };
        return new(Loopback(pages), Loopback(free[1]), Loopback(free[2]), Loopback(free[3]), NewKey(), NewKey(), NewKey());
    }

    /// <summary>Why the port that a person set will not do, in one line; null when it will, or none was set.</summary>
    public static string? PortProblem(int? wanted, Func<int, bool> isFree) => wanted is > 0 and var port && !isFree(port)
        ? $"Port {port} (AppHost:DashboardPort) is in use. End what listens there, set AppHost:DashboardPort to another port, or leave it out to have one chosen."
        : null;

    /// <summary>What a process of the cluster needs to send its telemetry. An intake that is not there yet costs nothing but a retry.</summary>
    public ImmutableSortedDictionary<string, string> TelemetryEnvironment(string process) => ImmutableSortedDictionary<string, string>.Empty
        .Add("OTEL_EXPORTER_OTLP_ENDPOINT", TelemetryUrl)
        .Add("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .Add(HeadersVariable, $"x-otlp-api-key={TelemetryKey}")
        .Add("OTEL_SERVICE_NAME", process)
        .Add("OTEL_RESOURCE_ATTRIBUTES", $"service.instance.id={Instance}")
        // A person looks on: seconds, not the minute that is the default.
        .Add("OTEL_METRIC_EXPORT_INTERVAL", "2000")
        .Add("OTEL_BSP_SCHEDULE_DELAY", "1000")
        .Add("OTEL_BLRP_SCHEDULE_DELAY", "1000");

    /// <summary>The dashboard's own settings.</summary>
    public ImmutableSortedDictionary<string, string> DashboardEnvironment() => ImmutableSortedDictionary<string, string>.Empty
        .Add("ASPNETCORE_URLS", FrontendUrl)
        .Add("ASPNETCORE_ENVIRONMENT", "Production")
        .Add("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", TelemetryUrl)
        .Add("ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", TelemetryHttpUrl)
        .Add("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", ResourceUrl)
        .Add("ASPIRE_ALLOW_UNSECURED_TRANSPORT", "true")
        .Add("DASHBOARD__RESOURCESERVICECLIENT__AUTHMODE", "ApiKey")
        .Add("DASHBOARD__RESOURCESERVICECLIENT__APIKEY", ResourceKey)
        .Add("DASHBOARD__FRONTEND__AUTHMODE", "BrowserToken")
        .Add("DASHBOARD__FRONTEND__BROWSERTOKEN", BrowserToken)
        .Add("DASHBOARD__OTLP__AUTHMODE", "ApiKey")
        .Add("DASHBOARD__OTLP__PRIMARYAPIKEY", TelemetryKey);

    private static string Loopback(int port) => $"http://127.0.0.1:{port}";

    private static string NewKey() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
}
