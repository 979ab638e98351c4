using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes.Adding;

/// <summary>How machines are added.</summary>
internal sealed class AddingOptions
{
    public const string SectionName = "Adding";

    /// <summary>How long a machine may take to answer SSH. Default 15 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How often a quiet connection is kept from being cut by what lies between. Default 5 s.</summary>
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long copying may stand still before the connection counts as lost. Default 20 s.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a new node may take from its start to its join. Default 90 s.</summary>
    public TimeSpan JoinTimeout { get; set; } = TimeSpan.FromSeconds(90);

    /// <summary>How long a command on the machine may take; copying and unpacking have ten times that. Default 60 s.</summary>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Where published agents lie. Default: <c>packages</c> in the home folder.</summary>
    public string? PackagesDirectory { get; set; }

    /// <summary>Port of the agents that are installed. Default 7430.</summary>
    public int AgentPort { get; set; } = 7430;
}

/// <summary>Checks <see cref="AddingOptions"/>, and that no key is misspelt.</summary>
internal sealed class AddingOptionsValidator(IConfiguration configuration) : IValidateOptions<AddingOptions>
{
    private static readonly Dictionary<string, Type> Sections = new() { [AddingOptions.SectionName] = typeof(AddingOptions) };

    public ValidateOptionsResult Validate(string? name, AddingOptions options)
    {
        List<string> problems = [.. SettingsGuard.FindUnknown(configuration, Sections).Select(unknown => unknown.ToString())];
        foreach (var (key, value) in new[]
        {
            (nameof(options.ConnectTimeout), options.ConnectTimeout),
            (nameof(options.KeepAlive), options.KeepAlive),
            (nameof(options.StallTimeout), options.StallTimeout),
            (nameof(options.JoinTimeout), options.JoinTimeout),
            (nameof(options.CommandTimeout), options.CommandTimeout),
        })
        {
            if (value <= TimeSpan.Zero)
            {
                problems.Add($"{AddingOptions.SectionName}:{key} is {value}; it must be above zero, for example 00:00:15.");
            }
        }

        if (options.AgentPort is < 1 or > 65535)
        {
            problems.Add($"{AddingOptions.SectionName}:AgentPort is {options.AgentPort}; it must be a port from 1 to 65535.");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
