using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Where the Coordinator listens and keeps its state.</summary>
internal sealed class ClusterOptions
{
    public const string SectionName = "Cluster";

    /// <summary>Port of <c>/api</c>, <c>/v1</c> and the console, on loopback. Default 7420; 0 chooses a free one.</summary>
    public int HttpPort { get; set; } = 7420;

    /// <summary>Port that agents join at, on loopback. Default 7421; 0 chooses a free one.</summary>
    public int GrpcPort { get; set; } = 7421;

    /// <summary>A file that is written once both ports listen: JSON with <c>httpUrl</c>, <c>grpcUrl</c> and <c>pid</c>. Empty (default): none.</summary>
    public string ReadyFile { get; set; } = "";
}

/// <summary>Checks <see cref="ClusterOptions"/>, and that no key of the Coordinator's sections is misspelt.</summary>
internal sealed class ClusterOptionsValidator(IConfiguration configuration) : IValidateOptions<ClusterOptions>
{
    private static readonly Dictionary<string, Type> Sections = new()
    {
        [ClusterOptions.SectionName] = typeof(ClusterOptions),
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
