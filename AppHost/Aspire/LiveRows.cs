using System.Collections.Immutable;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Topology;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>Keeps the rows of nodes and deployments, and the cluster's part of the local agents' rows, as the Coordinator tells them.</summary>
/// <param name="local">The projects that the host itself starts, by name.</param>
internal sealed partial class LiveRows(
    IDistributedApplicationBuilder builder,
    CommandMapping commands,
    IReadOnlyDictionary<string, IResourceBuilder<ProjectResource>> local,
    ResourceNotificationService notifications,
    ResourceLoggerService loggers)
{
    private const string ParentProperty = "resource.parentName";

    private readonly Dictionary<string, LiveRow> _rows = [];
    private readonly Dictionary<string, ImmutableArray<LiveProperty>> _localProperties = [];

    /// <summary>Runs until cancelled.</summary>
    /// <param name="coordinatorId">What the dashboard calls the Coordinator's row.</param>
    public async Task RunAsync(ClusterWatcher watcher, string coordinatorId, CancellationToken cancellationToken)
    {
        var names = local.Keys.ToHashSet();
        var connected = false;
        await foreach (var view in watcher.WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            await ShowAsync(LiveResources.From(view, names, coordinatorId, python: null)).ConfigureAwait(false);
            await ShowLocalAsync(view).ConfigureAwait(false);
            if (view.Connected != connected)
            {
                connected = view.Connected;
                // Its commands can be run, or not: publishing makes Aspire ask again.
                await notifications.PublishUpdateAsync(local[ClusterTopology.Coordinator].Resource, snapshot => snapshot).ConfigureAwait(false);
            }
        }
    }

    private async Task ShowAsync(ImmutableArray<LiveResource> resources)
    {
        foreach (var resource in resources)
        {
            if (!_rows.TryGetValue(resource.Name, out var row) || row.Current.Id != resource.Id)
            {
                row = AddRow(resource);
            }
            else if (row.Current.Equals(resource))
            {
                continue;
            }

            if (row.Current.State != resource.State || ReferenceEquals(row.Current, resource))
            {
                var logger = loggers.GetLogger(row);
                LogState(logger, resource.DisplayName, resource.State);
            }

            row.Current = resource;
            await notifications.PublishUpdateAsync(row, snapshot => Snapshot(snapshot, resource)).ConfigureAwait(false);
        }

        foreach (var gone in _rows.Values.Where(row => resources.All(resource => resource.Name != row.Name)).ToList())
        {
            _rows.Remove(gone.Name);
            // Aspire has no way to take a resource back; a hidden one is not shown.
            await notifications.PublishUpdateAsync(gone, snapshot => snapshot with { IsHidden = true, State = KnownResourceStates.Finished }).ConfigureAwait(false);
        }
    }

    private LiveRow AddRow(LiveResource resource)
    {
        var row = new LiveRow(resource);
        foreach (var command in LiveLook.CommandsOf(resource.Kind))
        {
            commands.Add(builder.CreateResourceBuilder(row), command, resource.Id, () => row.Current.EnabledCommands.Contains(command.Name));
        }

        return _rows[resource.Name] = row;
    }

    private async Task ShowLocalAsync(ClusterView view)
    {
        foreach (var node in view.Nodes.Where(node => local.ContainsKey(node.Id)))
        {
            var properties = LiveResources.Properties(node);
            if (_localProperties.TryGetValue(node.Id, out var shown) && shown.AsSpan().SequenceEqual(properties.AsSpan()))
            {
                continue;
            }

            _localProperties[node.Id] = properties;
            await notifications.PublishUpdateAsync(local[node.Id].Resource, snapshot => snapshot with
            {
                Properties = [.. snapshot.Properties.Where(old => properties.All(property => property.Name != old.Name)), .. properties.Select(Property)],
            }).ConfigureAwait(false);
        }
    }

    private static CustomResourceSnapshot Snapshot(CustomResourceSnapshot snapshot, LiveResource resource) => snapshot with
    {
        ResourceType = LiveLook.TypeOf(resource.Kind),
        State = new ResourceStateSnapshot(resource.State, StyleOf(resource.Style)),
        StartTimeStamp = resource.StartedAt?.UtcDateTime,
        IsHidden = false,
        IconName = LiveLook.IconOf(resource.Kind),
        Properties = [.. Parent(resource), .. resource.Properties.Select(Property)],
        Relationships = [.. resource.Uses.Select(name => new RelationshipSnapshot(name, "Reference"))],
    };

    private static IEnumerable<ResourcePropertySnapshot> Parent(LiveResource resource) =>
        resource.Parent is { } parent ? [new(ParentProperty, parent)] : [];

    internal static ResourcePropertySnapshot Property(LiveProperty property, int index) =>
        new(property.Name, property.Value) { DisplayName = property.Label, IsHighlighted = true, SortOrder = index };

    internal static string StyleOf(LiveStateStyle style) => style switch
    {
        LiveStateStyle.Success => KnownResourceStateStyles.Success,
        LiveStateStyle.Warning => KnownResourceStateStyles.Warn,
        LiveStateStyle.Error => KnownResourceStateStyles.Error,
        _ => KnownResourceStateStyles.Info,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} is {State}.")]
    private static partial void LogState(ILogger logger, string name, string state);
}
