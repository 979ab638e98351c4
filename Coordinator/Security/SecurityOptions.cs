using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Certificates, tokens and keys.</summary>
internal sealed class SecurityOptions
{
    public const string SectionName = "Security";

    /// <summary>How long a node's certificate lasts; it is renewed when two thirds are gone. Default 30 days. Short: a stolen key is worth little; long: a node may be off longer.</summary>
    public TimeSpan CertificateLifetime { get; set; } = TimeSpan.FromDays(30);

    /// <summary>A file to which a token for the agents of this start is written, its owner's alone. Empty (default): none.</summary>
    public string StartTokenFile { get; set; } = "";

    /// <summary>How many agents may join with the token in <see cref="StartTokenFile"/>. Default 1.</summary>
    public int StartTokenUses { get; set; } = 1;

    /// <summary>Whether the HTTP API asks for a key even when it listens on loopback only. Default false. Beyond loopback it always asks.</summary>
    public bool RequireApiKeys { get; set; }

    /// <summary>Names that requests may call this Coordinator by, besides localhost, the machine's name and IP addresses. Default none.</summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Requests a second that an address beyond loopback may send, four seconds' worth at once. Default 100; 0: no limit.</summary>
    public int RequestsPerSecond { get; set; } = 100;
}

/// <summary>Checks <see cref="SecurityOptions"/>.</summary>
internal sealed class SecurityOptionsValidator : IValidateOptions<SecurityOptions>
{
    private const int MostRequestsPerSecond = 1_000_000;
    private static readonly TimeSpan ShortestLifetime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(825);

    public ValidateOptionsResult Validate(string? name, SecurityOptions options)
    {
        List<string> problems = [];
        if (options.CertificateLifetime < ShortestLifetime || options.CertificateLifetime > LongestLifetime)
        {
            problems.Add($"{SecurityOptions.SectionName}:CertificateLifetime is {options.CertificateLifetime}; it must be from {ShortestLifetime} to {LongestLifetime}.");
        }

        if (options.StartTokenUses is < 1 or > TokenRequest.MostUses)
        {
            problems.Add($"{SecurityOptions.SectionName}:StartTokenUses is {options.StartTokenUses}; it must be from 1 to {TokenRequest.MostUses}.");
        }

        if (options.RequestsPerSecond is < 0 or > MostRequestsPerSecond)
        {
            problems.Add($"{SecurityOptions.SectionName}:RequestsPerSecond is {options.RequestsPerSecond}; it must be from 0 (no limit) to {MostRequestsPerSecond}.");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
