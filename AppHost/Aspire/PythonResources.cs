using System.Collections.Immutable;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Python;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClusterLlm.AppHost.Aspire;

/// <summary>
/// The Python environment of mlx as resources: a Python module that tells what is in it, and below it the step that makes it. Its state is what the agents say of their engine, so
/// that a machine without MLX has a row that says so and none that failed.
/// </summary>
internal sealed partial class PythonResources
{
    /// <summary>The name of the command that makes it or asks it again.</summary>
    public const string LookAgain = "look-again";

    private static readonly ImmutableArray<string> LifecycleCommands =
        [KnownResourceCommands.StartCommand, KnownResourceCommands.StopCommand, KnownResourceCommands.RestartCommand];

    private readonly Lock _gate = new();
    private readonly string _interpreter;
    private LiveResource? _row;

    private PythonResources(PythonEnvironment environment, IResourceBuilder<PythonAppResource> module, IResourceBuilder<ExecutableResource> installer, string interpreter)
    {
        Environment = environment;
        Module = module;
        Installer = installer;
        _interpreter = interpreter;
    }

    public PythonEnvironment Environment { get; }

    public IResourceBuilder<PythonAppResource> Module { get; }

    public IResourceBuilder<ExecutableResource> Installer { get; }

    public static PythonResources Add(IDistributedApplicationBuilder builder, PythonEnvironment environment, string lifeLine)
    {
        var agent = BuildFacts.Read().Outputs[PythonEnvironment.Project];
        var package = PythonEnvironment.PackageFolder(agent);
        // An interpreter that a person named is nobody's to make; the agents use it as it is.
        var folder = Named() is { } named ? Path.GetFullPath(Path.Join(Path.GetDirectoryName(named), "..")) : environment.Folder;
        var module = builder.AddPythonModule(environment.Name, package, PythonEnvironment.Module)
            .WithVirtualEnvironment(folder, createIfNotExists: false)
            .WithEnvironment("PYTHONUNBUFFERED", "1")
            .WithEnvironment("PYTHONDONTWRITEBYTECODE", "1")
            // The host starts it when there is an environment to ask.
            .WithExplicitStart();
        var installer = UseAgentAsInstaller(builder, environment, agent).WithEnvironment(ParentWatch.VariableName, lifeLine);

        module.WithCommand(
            LookAgain,
            "Look again",
            context => RunAsync(context.Services, installer.Resource, KnownResourceCommands.StartCommand, context.CancellationToken),
            new CommandOptions { Description = "Makes the environment where it is missing and may be made, and asks what is in it.", IconName = "ArrowClockwise", IsHighlighted = true });
        return new(environment, module, installer, Path.Join(folder, "bin", "python"));
    }

    /// <summary>Starts the module whenever the step before it has ended well, and shows what the agents say, until cancelled.</summary>
    public Task FollowAsync(IServiceProvider services, ClusterWatcher watcher, CancellationToken cancellationToken)
    {
        HideLifecycle();
        var notifications = services.GetRequiredService<ResourceNotificationService>();
        return Task.WhenAll(FollowProcessesAsync(services, notifications, cancellationToken), FollowClusterAsync(services, notifications, watcher, cancellationToken));
    }

    /// <summary>The state that the row has beside what the orchestrator knows: only while nothing runs and nothing went wrong. Pure.</summary>
    internal static CustomResourceSnapshot Overlay(CustomResourceSnapshot snapshot, LiveResource row) => snapshot with
    {
        State = IsOurs(snapshot) ? new ResourceStateSnapshot(row.State, LiveRows.StyleOf(row.Style)) : snapshot.State,
        Properties =
        [
            .. snapshot.Properties.Where(old => !old.Name.StartsWith(PythonRow.Prefix, StringComparison.Ordinal)),
            .. row.Properties.Select(LiveRows.Property),
        ],
    };

    /// <summary>
    /// Aspire adds a step that runs pip on the requirements beside the module. Ours knows the rules of each platform, checks hashes, holds the lock that agents wait for, and
    /// leaves a mark when it was finished, so it runs in pip's place.
    /// </summary>
    private static IResourceBuilder<ExecutableResource> UseAgentAsInstaller(IDistributedApplicationBuilder builder, PythonEnvironment environment, string agent)
    {
        var installer = builder.CreateResourceBuilder(builder.Resources.OfType<ExecutableResource>().Single(resource => resource.Name == environment.Installer));
        var (program, arguments) = LaunchResolver.Command(agent);
        // Aspire sets its command in an event of the start, and events come in the order in which they were asked for.
        builder.OnBeforeStart((_, _) =>
        {
            installer.WithCommand(program).WithArgs(context =>
            {
                context.Args.Clear();
                foreach (var argument in arguments.Append(PythonEnvironment.InstallArgument))
                {
                    context.Args.Add(argument);
                }
            });
            return Task.CompletedTask;
        });
        foreach (var (variable, value) in environment.Environment)
        {
            installer.WithEnvironment(variable, ((TextValue)value).Text);
        }

        return installer;
    }

    private static string? Named() => new ConfigurationBuilder().AddEnvironmentVariables(ClusterSettings.EnvironmentPrefix).Build()["Engines:Mlx:Python"];

    /// <summary>One that ended with a fault is "finished" to the orchestrator too.</summary>
    private static bool IsAtRest(CustomResourceSnapshot snapshot) =>
        snapshot.State?.Text == KnownResourceStates.NotStarted || (snapshot.State?.Text == KnownResourceStates.Finished && (snapshot.ExitCode ?? 0) == 0);

    private static bool IsOurs(CustomResourceSnapshot snapshot) => snapshot.State is null || IsAtRest(snapshot) || PythonRow.States.Contains(snapshot.State.Text);

    /// <summary>Start and stop mean nothing to people here; the host still uses them.</summary>
    private void HideLifecycle()
    {
        var resource = Module.Resource;
        foreach (var command in resource.Annotations.OfType<ResourceCommandAnnotation>().Where(command => LifecycleCommands.Contains(command.Name)).ToList())
        {
            resource.Annotations.Remove(command);
            resource.Annotations.Add(new ResourceCommandAnnotation(
                command.Name, command.DisplayName, _ => ResourceCommandState.Hidden, command.ExecuteCommand, command.DisplayDescription,
                command.Arguments, command.ConfirmationMessage, command.IconName, command.IconVariant, isHighlighted: false));
        }
    }

    private static Task<ExecuteCommandResult> RunAsync(IServiceProvider services, IResource resource, string command, CancellationToken cancellationToken) =>
        services.GetRequiredService<ResourceCommandService>().ExecuteCommandAsync(resource, command, cancellationToken);

    private async Task FollowProcessesAsync(IServiceProvider services, ResourceNotificationService notifications, CancellationToken cancellationToken)
    {
        var hasEnded = false;
        await foreach (var change in notifications.WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            var state = change.Snapshot.State?.Text;
            if (change.Resource == Installer.Resource)
            {
                var ends = state is not null && KnownResourceStates.TerminalStates.Contains(state);
                if (ends && !hasEnded && change.Snapshot.ExitCode == 0 && File.Exists(_interpreter))
                {
                    await RunAsync(services, Module.Resource, KnownResourceCommands.StartCommand, cancellationToken).ConfigureAwait(false);
                }

                hasEnded = ends;
            }
            else if (change.Resource == Module.Resource && IsAtRest(change.Snapshot))
            {
                await ShowAsync(notifications).ConfigureAwait(false);
            }
        }
    }

    private async Task FollowClusterAsync(IServiceProvider services, ResourceNotificationService notifications, ClusterWatcher watcher, CancellationToken cancellationToken)
    {
        var logger = services.GetRequiredService<ResourceLoggerService>().GetLogger(Module.Resource);
        var told = "";
        await foreach (var view in watcher.WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            if (PythonRow.From(Environment, view) is not { } row)
            {
                continue;
            }

            lock (_gate)
            {
                if (row.Equals(_row))
                {
                    continue;
                }

                _row = row;
            }

            await ShowAsync(notifications).ConfigureAwait(false);
            if (PythonRow.ReasonOf(row) is { } reason && reason != told)
            {
                told = reason;
                LogReason(logger, row.State, reason);
            }
        }
    }

    private async Task ShowAsync(ResourceNotificationService notifications)
    {
        LiveResource? row;
        lock (_gate)
        {
            row = _row;
        }

        if (row is not null)
        {
            await notifications.PublishUpdateAsync(Module.Resource, snapshot => Overlay(snapshot, row)).ConfigureAwait(false);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{State}: {Reason}")]
    private static partial void LogReason(ILogger logger, string state, string reason);
}
