using System.Collections.Immutable;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Commands;
using ClusterLlm.AppHost.Dashboard.Contract;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;
using Google.Protobuf.WellKnownTypes;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>Processes, nodes and deployments as rows of the dashboard. Pure.</summary>
internal static class ResourceMapping
{
    private const string ParentName = "resource.parentName";

    /// <param name="row">The row's name; people see the process's.</param>
    /// <param name="facts">How it is started, and what the cluster says of it.</param>
    /// <param name="since">When this host began: a row keeps its time of creation.</param>
    public static Resource Process(string row, ProcessResource process, ProcessSnapshot snapshot, ProcessFacts facts, DateTimeOffset since)
    {
        var node = facts.Node;
        var resource = new Resource
        {
            Name = row,
            ResourceType = "Project",
            DisplayName = process.Name,
            Uid = row,
            State = State(snapshot.State),
            StateStyle = Style(snapshot.State),
            CreatedAt = Timestamp.FromDateTimeOffset(since),
            StartedAt = snapshot.StartedAt is { } started ? Timestamp.FromDateTimeOffset(started) : null,
        };
        resource.Properties.Add(Property("resource.source", "Source", Value.ForString(process.Project)));
        resource.Properties.Add(Property("project.path", "Project path", Value.ForString(facts.Launch.Assembly)));
        resource.Properties.Add(Property("executable.path", "Executable path", Value.ForString(Path.ChangeExtension(facts.Launch.Assembly, null))));
        resource.Properties.Add(Property("executable.args", "Executable arguments", Value.ForList()));
        resource.Properties.Add(Property("process.restarts", "Restarts", Value.ForNumber(snapshot.Restarts)));
        if (snapshot.Pid is { } pid)
        {
            resource.Properties.Add(Property("executable.pid", "Process ID", Value.ForNumber(pid)));
        }

        if (snapshot.ExitCode is { } code)
        {
            resource.Properties.Add(Property("resource.exitCode", "Exit code", Value.ForNumber(code)));
        }

        if (snapshot.Detail.Length > 0)
        {
            resource.Properties.Add(Highlighted("process.detail", "Detail", snapshot.Detail, 0));
        }

        AddProperties(resource, node is null ? [] : LiveResources.Properties(node));
        resource.Environment.AddRange(Environment(process, facts.Launch));
        resource.Urls.AddRange(snapshot.Urls.Where(url => url.Key != ClusterTopology.ProbeEndpoint).Select((url, index) => Url(url.Key, url.Value, index)));
        if (snapshot.State is ProcessState.Running or ProcessState.Healthy)
        {
            resource.HealthReports.Add(Health(process, snapshot));
        }

        resource.Relationships.AddRange(process.WaitFor.Select(other => new ResourceRelationship { ResourceName = other, Type = "WaitFor" }));
        if (process.Name == ClusterTopology.Coordinator)
        {
            resource.Commands.AddRange(ClusterCommands.For(CommandTarget.Coordinator).Select(command => Command(command, snapshot.State == ProcessState.Healthy)));
        }
        else if (node is not null)
        {
            var enabled = LiveResources.EnabledCommands(node);
            resource.Commands.AddRange(ClusterCommands.For(CommandTarget.Node).Select(command => Command(command, enabled.Contains(command.Name))));
        }

        resource.Commands.AddRange(ProcessCommands.For(snapshot.State));
        return resource;
    }

    public static Resource Live(LiveResource live, DateTimeOffset since)
    {
        var resource = new Resource
        {
            Name = live.Name,
            ResourceType = LiveLook.TypeOf(live.Kind),
            DisplayName = live.DisplayName,
            Uid = live.Name,
            State = live.State,
            StateStyle = live.Style.ToString().ToLowerInvariant(),
            CreatedAt = Timestamp.FromDateTimeOffset(live.StartedAt ?? since),
            StartedAt = live.StartedAt is { } started ? Timestamp.FromDateTimeOffset(started) : null,
            IconName = LiveLook.IconOf(live.Kind),
        };
        if (live.Parent is { } parent)
        {
            resource.Properties.Add(Property(ParentName, "Parent", Value.ForString(parent)));
            resource.Relationships.Add(new ResourceRelationship { ResourceName = parent, Type = "Parent" });
        }

        AddProperties(resource, live.Properties);
        resource.Relationships.AddRange(live.Uses.Select(used => new ResourceRelationship { ResourceName = used, Type = "Reference" }));
        resource.Commands.AddRange(LiveLook.CommandsOf(live.Kind).Select(command => Command(command, live.EnabledCommands.Contains(command.Name))));
        return resource;
    }

    /// <summary>Keys are part of the environment, but not of what is shown.</summary>
    private static IEnumerable<EnvironmentVariable> Environment(ProcessResource process, ProcessLaunch launch) => process.Environment
        .Select(entry => (entry.Key, Value: entry.Value switch
        {
            TextValue text => text.Text,
            EndpointValue reference => $"{{{reference.Process}.{reference.Endpoint}}}",
            _ => "",
        }))
        .Concat(launch.Telemetry.Select(entry => (entry.Key, Value: entry.Key == DashboardAddresses.HeadersVariable ? "(hidden)" : entry.Value)))
        .Select(entry => new EnvironmentVariable { Name = entry.Key, Value = entry.Value, IsFromSpec = true });

    private static void AddProperties(Resource resource, ImmutableArray<LiveProperty> properties) =>
        resource.Properties.AddRange(properties.Select((property, index) => Highlighted(property.Name, property.Label, property.Value, index + 1)));

    private static ResourceProperty Property(string name, string label, Value value) => new() { Name = name, DisplayName = label, Value = value };

    private static ResourceProperty Highlighted(string name, string label, string value, int order) =>
        new() { Name = name, DisplayName = label, Value = Value.ForString(value), IsHighlighted = true, SortOrder = order };

    private static Url Url(string endpoint, string url, int order) => new()
    {
        EndpointName = endpoint,
        FullUrl = url,
        IsInternal = endpoint != ClusterTopology.HttpEndpoint,
        DisplayProperties = new() { SortOrder = order, DisplayName = endpoint == ClusterTopology.HttpEndpoint ? "" : endpoint },
    };

    private static HealthReport Health(ProcessResource process, ProcessSnapshot snapshot) => new()
    {
        Key = process.HealthPath,
        Status = snapshot.State == ProcessState.Healthy ? HealthStatus.Healthy : HealthStatus.Unhealthy,
        Description = snapshot.Detail,
    };

    private static ResourceCommand Command(CommandDescription command, bool enabled)
    {
        var contract = new ResourceCommand
        {
            Name = command.Name,
            DisplayName = command.DisplayName,
            DisplayDescription = command.Description,
            IconName = command.Icon,
            IsHighlighted = command.IsHighlighted,
            State = enabled ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
        };
        if (command.Confirmation is { } question)
        {
            contract.ConfirmationMessage = question;
        }

        return contract;
    }

    /// <summary>The dashboard's own words where it has them: it knows "Running" from "Exited".</summary>
    private static string State(ProcessState state) => state switch
    {
        ProcessState.Healthy or ProcessState.Running => "Running",
        ProcessState.Failed => "FailedToStart",
        ProcessState.Stopped => "Exited",
        _ => state.ToString(),
    };

    private static string Style(ProcessState state) => state switch
    {
        ProcessState.Healthy => "success",
        ProcessState.Failed => "error",
        ProcessState.Restarting or ProcessState.Running => "warning",
        _ => "info",
    };
}

/// <summary>What a row tells of a process besides its state.</summary>
/// <param name="Node">What the cluster says of an agent; null for other processes.</param>
internal sealed record ProcessFacts(ProcessLaunch Launch, NodeView? Node);

/// <param name="Assembly">Path of what runs.</param>
/// <param name="Telemetry">Environment that the topology does not describe.</param>
internal sealed record ProcessLaunch(string Assembly, ImmutableSortedDictionary<string, string> Telemetry);
