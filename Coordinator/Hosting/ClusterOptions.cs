using System.Net;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Security;
using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Where the Coordinator listens and keeps its state.</summary>
internal sealed class ClusterOptions
{
    public const string SectionName = "Cluster";

    /// <summary>Port of <c>/api</c>, <c>/v1</c> and the console, on loopback. Default 7420; 0 chooses a free one.</summary>
    public int HttpPort { get; set; } = 7420;

    /// <summary>Port that agents join at. Default 7421; 0 chooses a free one.</summary>
    public int GrpcPort { get; set; } = 7421;

    /// <summary>The address that agents reach <see cref="GrpcPort"/> at: loopback (default), one of this machine's, or <c>0.0.0.0</c> or <c>::</c> for all.</summary>
    public string GrpcAddress { get; set; } = "127.0.0.1";

    /// <summary>The address at which <c>/api</c>, <c>/v1</c> and the console are also served over HTTPS, for keys only. Empty (default): not at all.</summary>
    public string HttpsAddress { get; set; } = "";

    /// <summary>Port of <see cref="HttpsAddress"/>. Default 7443; 0 chooses a free one.</summary>
    public int HttpsPort { get; set; } = 7443;

    /// <summary>PEM file with the certificate for HTTPS, and its intermediates. Empty (default): one from the cluster's own authority.</summary>
    public string HttpsCertificateFile { get; set; } = "";

    /// <summary>PEM file with the key of <see cref="HttpsCertificateFile"/>. Empty (default): it is in the same file.</summary>
    public string HttpsKeyFile { get; set; } = "";

    /// <summary>
    /// A file that is written once the ports listen: JSON with <c>httpUrl</c>, <c>grpcUrl</c>, <c>httpsUrl</c> where there is one, and <c>pid</c>. Empty
    /// (default): none.
    /// </summary>
    public string ReadyFile { get; set; } = "";

    /// <summary><see cref="GrpcAddress"/>, which has been checked.</summary>
    internal IPAddress GrpcIPAddress => IPAddress.Parse(GrpcAddress);

    /// <summary><see cref="HttpsAddress"/>, which has been checked; <see langword="null"/>: no HTTPS.</summary>
    internal IPAddress? HttpsIPAddress => HttpsAddress.Length == 0 ? null : IPAddress.Parse(HttpsAddress);

    /// <summary>Whether others than this machine can reach the HTTP API.</summary>
    internal bool ListensBeyondLoopback => HttpsIPAddress is { } address && !IPAddress.IsLoopback(address);
}

/// <summary>Checks <see cref="ClusterOptions"/>, and that no key of the Coordinator's sections is misspelt.</summary>
internal sealed class ClusterOptionsValidator(IConfiguration configuration) : IValidateOptions<ClusterOptions>
{
    private static readonly Dictionary<string, Type> Sections = new()
    {
        [ClusterOptions.SectionName] = typeof(ClusterOptions),
        [SecurityOptions.SectionName] = typeof(SecurityOptions),
        [NodesOptions.SectionName] = typeof(NodesOptions),
        [ModelsOptions.SectionName] = typeof(ModelsOptions),
        [DeploymentsOptions.SectionName] = typeof(DeploymentsOptions),
    };

    public ValidateOptionsResult Validate(string? name, ClusterOptions options)
    {
        List<string> problems = [.. SettingsGuard.FindUnknown(configuration, Sections).Select(unknown => unknown.ToString())];
        CheckPort(problems, nameof(options.HttpPort), options.HttpPort);
        CheckPort(problems, nameof(options.GrpcPort), options.GrpcPort);
        if (options.HttpPort != 0 && options.HttpPort == options.GrpcPort)
        {
            problems.Add($"{ClusterOptions.SectionName}:HttpPort and {ClusterOptions.SectionName}:GrpcPort are both {options.HttpPort}; they must differ.");
        }

        CheckPort(problems, nameof(options.HttpsPort), options.HttpsPort);
        if (options.HttpsAddress.Length > 0 && !IPAddress.TryParse(options.HttpsAddress, out _))
        {
            problems.Add($"{ClusterOptions.SectionName}:HttpsAddress is '{options.HttpsAddress}'; it must be an IP address of this machine, 0.0.0.0 or :: for all, or empty for no HTTPS.");
        }

        if (options.HttpsCertificateFile.Length > 0 && !File.Exists(options.HttpsCertificateFile))
        {
            problems.Add($"{ClusterOptions.SectionName}:HttpsCertificateFile is '{options.HttpsCertificateFile}', which is not there.");
        }

        if (!IPAddress.TryParse(options.GrpcAddress, out _))
        {
            problems.Add($"{ClusterOptions.SectionName}:GrpcAddress is '{options.GrpcAddress}'; it must be an IP address of this machine, or 0.0.0.0 or :: for all.");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static void CheckPort(List<string> problems, string key, int port)
    {
        if (port is < 0 or > 65535)
        {
            problems.Add($"{ClusterOptions.SectionName}:{key} is {port}; it must be a port from 1 to 65535, or 0 to choose a free one.");
        }
    }
}
