using System.Globalization;
using ClusterLlm.NodeAgent.Engines.Builtin;
using ClusterLlm.NodeAgent.Hardware.Power;
using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Settings;

/// <summary>Checks the values of <see cref="NodeOptions"/> and reports all problems together.</summary>
internal sealed class NodeOptionsValidator(IConfiguration configuration) : IValidateOptions<NodeOptions>
{
    private const int HighestPort = 65_535;

    private static readonly Dictionary<string, Type> Sections = new()
    {
        [NodeOptions.SectionName] = typeof(NodeOptions),
        [BuiltinOptions.SectionName] = typeof(BuiltinOptions),
    };

    public ValidateOptionsResult Validate(string? name, NodeOptions options)
    {
        string[] problems = [.. UnknownKeys(), .. Problems(options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private IEnumerable<string> UnknownKeys() =>
        SettingsGuard.FindUnknown(configuration, Sections).Select(unknown => unknown.ToString());

    private static IEnumerable<string> Problems(NodeOptions options)
    {
        if (options.Id is { } id && !NodeIds.IsValid(id))
        {
            yield return $"Node:Id is '{id}': {NodeIds.Rule}";
        }

        foreach (var (key, port) in new[] { ("GrpcPort", options.GrpcPort), ("ProbePort", options.ProbePort) })
        {
            if (port is < 0 or > HighestPort)
            {
                yield return Text($"Node:{key} is {port}: a port is 1 to {HighestPort}, or 0 to take a free one.");
            }
        }

        if (options.GrpcPort != 0 && options.GrpcPort == options.ProbePort)
        {
            yield return Text($"Node:GrpcPort and Node:ProbePort are both {options.GrpcPort}: give them different ports.");
        }

        foreach (var problem in MemoryProblems(options).Concat(AddressProblems(options)).Concat(PathProblems(options)))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> MemoryProblems(NodeOptions options)
    {
        if (options.MemoryShare is { } share && !(share > 0 && share <= 1))
        {
            yield return Text($"Node:MemoryShare is {share}: it must be above 0 and at most 1.");
        }

        if (options.MemoryLimitBytes is { } limit and <= 0)
        {
            yield return Text($"Node:MemoryLimitBytes is {limit}: it must be above 0; leave it out for no limit.");
        }
    }

    private static IEnumerable<string> AddressProblems(NodeOptions options)
    {
        foreach (var (key, url) in new[] { ("CoordinatorUrl", options.CoordinatorUrl), ("AdvertisedUrl", options.AdvertisedUrl) })
        {
            if (url is not null && !(url.IsAbsoluteUri && url.Scheme is "https"))
            {
                yield return $"Node:{key} is '{url}': it must be an absolute https address, for example https://127.0.0.1:7421.";
            }
        }

        if (!System.Net.IPAddress.TryParse(options.ListenAddress, out _))
        {
            yield return $"Node:ListenAddress is '{options.ListenAddress}': it must be an IP address of this machine, or 0.0.0.0 or :: for all.";
        }
    }

    private static IEnumerable<string> PathProblems(NodeOptions options)
    {
        foreach (var (directory, index) in options.ModelDirectories.Select((directory, index) => (directory, index)))
        {
            if (string.IsNullOrWhiteSpace(directory))
            {
                yield return Text($"Node:ModelDirectories:{index} is empty: name a folder, or leave the entry out.");
            }
        }

        if (options.JoinTokenFile is { } token && string.IsNullOrWhiteSpace(token))
        {
            yield return "Node:JoinTokenFile is empty: name a file, '-' for standard input, or leave it out.";
        }

        if (PowerCommand.Problem(options.PowerCommand) is { } power)
        {
            yield return power;
        }

        if (options.ReadyFile is { } file && string.IsNullOrWhiteSpace(file))
        {
            yield return "Node:ReadyFile is empty: name a file, or leave it out.";
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
