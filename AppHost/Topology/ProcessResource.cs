using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Topology;

/// <summary>One process of the cluster on this machine, described as values: either host starts exactly this.</summary>
internal sealed record ProcessResource
{
    /// <summary>Unique in the topology; what people see.</summary>
    public required string Name { get; init; }

    /// <summary>The project whose output runs, by the name of its folder.</summary>
    public required string Project { get; init; }

    public ImmutableArray<EndpointResource> Endpoints { get; init; } = [];

    /// <summary>Environment on top of the host's own. Double underscores stand for the colons of a setting.</summary>
    public ImmutableSortedDictionary<string, SettingValue> Environment { get; init; } =
        ImmutableSortedDictionary<string, SettingValue>.Empty;

    /// <summary>Processes that must be healthy before this one starts.</summary>
    public ImmutableArray<string> WaitFor { get; init; } = [];

    /// <summary>The endpoint that answers health checks by plain HTTP.</summary>
    public required string HealthEndpoint { get; init; }

    public string HealthPath { get; init; } = "/health";

    /// <summary>Environment variable with the file that the process writes when it listens.</summary>
    public required string ReadyFileVariable { get; init; }
}

/// <summary>An address that a process listens on.</summary>
/// <param name="Name">Unique in the process; its address stands in the ready file as <c>{Name}Url</c>.</param>
/// <param name="Port">The port to listen on; 0 lets the system choose.</param>
/// <param name="Fixed">True when a person set the port: then no other one will do.</param>
/// <param name="Setting">How a person sets the port, for messages; null when it cannot be set.</param>
/// <param name="PortVariable">Environment variable that tells the process its port; 0 there means any.</param>
/// <param name="Scheme">http or https.</param>
internal sealed record EndpointResource(string Name, int Port, bool Fixed, string? Setting, string PortVariable, string Scheme);

/// <summary>A value in a process's environment: text, or the address of an endpoint that is known only when it listens.</summary>
internal abstract record SettingValue
{
    public static implicit operator SettingValue(string text) => new TextValue(text);
}

/// <summary>Text known beforehand.</summary>
internal sealed record TextValue(string Text) : SettingValue;

/// <summary>The address of <paramref name="Endpoint"/> of <paramref name="Process"/>, without a trailing slash.</summary>
internal sealed record EndpointValue(string Process, string Endpoint) : SettingValue;
