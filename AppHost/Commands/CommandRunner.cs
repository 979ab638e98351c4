using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Output;

namespace ClusterLlm.AppHost.Commands;

/// <summary>Runs commands through the Coordinator's API. Whatever happens is an outcome, never an exception, but for cancellation.</summary>
/// <param name="connect">The Coordinator where it listens now; null while it does not.</param>
internal sealed class CommandRunner(Func<ClusterClient?> connect, TimeProvider time)
{
    /// <summary>The arguments with their choices filled from the cluster; without it, what the description says.</summary>
    public async Task<ImmutableArray<CommandArgument>> ArgumentsAsync(CommandDescription command, CancellationToken cancellationToken)
    {
        if (connect() is not { } cluster || command.Arguments.All(argument => argument.ChoiceSource == ChoiceSource.Fixed && argument.Name != "nodes"))
        {
            return command.Arguments;
        }

        try
        {
            var models = await cluster.ModelsAsync(cancellationToken).ConfigureAwait(false);
            var nodes = await cluster.NodesAsync(cancellationToken).ConfigureAwait(false);
            var deployments = await cluster.DeploymentsAsync(cancellationToken).ConfigureAwait(false);
            ImmutableArray<CommandChoice> choices = [.. ModelChoices(models, deployments)];
            return [.. command.Arguments.Select(argument => Fill(argument, choices, nodes))];
        }
        catch (Exception failure) when (IsAway(failure, cancellationToken))
        {
            return command.Arguments;
        }
    }

    /// <summary>
    /// All that is wrong with the arguments, by argument: also what only the cluster knows, such as an unknown node. What no argument is to blame for, such as too
    /// little memory, is told by running.
    /// </summary>
    public async Task<ImmutableSortedDictionary<string, string>> CheckAsync(
        CommandDescription command, IReadOnlyDictionary<string, string?> values, CancellationToken cancellationToken)
    {
        var errors = CommandValues.Check(command, values);
        if (errors.Count > 0 || command.Name is not (ClusterCommands.Launch or ClusterCommands.Plan) || connect() is not { } cluster)
        {
            return errors;
        }

        try
        {
            await cluster.PlanAsync(LaunchRequest.From(values), cancellationToken).ConfigureAwait(false);
            return errors;
        }
        catch (ClusterRefusedException refused)
        {
            return Refused(command, refused).FieldErrors;
        }
        catch (Exception failure) when (IsAway(failure, cancellationToken))
        {
            return errors;
        }
    }

    /// <param name="target">Id of the node or deployment; not used by commands on the Coordinator.</param>
    /// <param name="values">Texts by argument.</param>
    public async Task<CommandOutcome> RunAsync(
        CommandDescription command, string target, IReadOnlyDictionary<string, string?> values, CancellationToken cancellationToken)
    {
        if (CommandValues.Check(command, values) is { Count: > 0 } errors)
        {
            return new(Success: false, string.Join(' ', errors.Values)) { FieldErrors = errors };
        }

        if (connect() is not { } cluster)
        {
            return new(Success: false, "The Coordinator does not answer now. Try again when it is healthy.");
        }

        try
        {
            return await RunAsync(cluster, command.Name, target, values, cancellationToken).ConfigureAwait(false);
        }
        catch (ClusterRefusedException refused)
        {
            return Refused(command, refused);
        }
        catch (Exception failure) when (IsAway(failure, cancellationToken))
        {
            return new(Success: false, $"The Coordinator at {cluster.BaseUrl} did not answer as it should: {failure.Message}");
        }
    }

    private async Task<CommandOutcome> RunAsync(
        ClusterClient cluster, string command, string target, IReadOnlyDictionary<string, string?> values, CancellationToken cancellationToken)
    {
        switch (command)
        {
            case ClusterCommands.Launch:
                var launched = await cluster.LaunchAsync(LaunchRequest.From(values), cancellationToken).ConfigureAwait(false);
                return new(Success: true, $"{launched.Name} is launched on {Nodes(launched.Plan)}.") { Markdown = CommandMarkdown.Launched(launched, cluster.BaseUrl) };
            case ClusterCommands.Plan:
                var answer = await cluster.PlanAsync(LaunchRequest.From(values), cancellationToken).ConfigureAwait(false);
                return new(Success: true, $"{answer.ModelId} fits on {Nodes(answer.Plan)}.") { Markdown = CommandMarkdown.Plan(answer) };
            case ClusterCommands.AddMac:
                return await AddMac.RunAsync(cluster, values, cancellationToken).ConfigureAwait(false);
            case ClusterCommands.JoinToken:
                return await JoinToken.RunAsync(cluster, values, cancellationToken).ConfigureAwait(false);
            case ClusterCommands.Compare:
                var comparison = await cluster.CompareAsync(CompareRequest.From(values), cancellationToken).ConfigureAwait(false);
                return new(Success: true, $"Comparison {comparison.Id} has begun; its report shows how far it is.") { Markdown = CommandMarkdown.Compared(comparison, cluster.BaseUrl) };
            case ClusterCommands.TestPrompt:
                return await TestPrompt.RunAsync(cluster, target, values, time, cancellationToken).ConfigureAwait(false);
            case ClusterCommands.Stop:
            case ClusterCommands.Forget:
                var stopping = await cluster.StopAsync(target, cancellationToken).ConfigureAwait(false);
                return new(Success: true, stopping ? "The deployment stops." : "The deployment had stopped and is forgotten.");
            case ClusterCommands.Restart:
                var restarted = await cluster.RestartAsync(target, cancellationToken).ConfigureAwait(false);
                return new(Success: true, $"{restarted.Name} starts anew on {Nodes(restarted.Plan)}.");
            case ClusterCommands.Drain:
                await cluster.DrainAsync(target, draining: true, cancellationToken).ConfigureAwait(false);
                return new(Success: true, $"{target} takes no new shards.");
            case ClusterCommands.Resume:
                await cluster.DrainAsync(target, draining: false, cancellationToken).ConfigureAwait(false);
                return new(Success: true, $"{target} takes shards again.");
            case ClusterCommands.Remove:
                await cluster.RemoveNodeAsync(target, cancellationToken).ConfigureAwait(false);
                return new(Success: true, $"{target} is no longer in the cluster.");
            default:
                throw new ArgumentException($"There is no command '{command}'.", nameof(command));
        }
    }

    private static CommandOutcome Refused(CommandDescription command, ClusterRefusedException refused)
    {
        // "nodes[0]" and "layers.node-1" are told at the argument that they are part of.
        var errors = refused.FieldErrors
            .Select(error => (Argument: command.Arguments.FirstOrDefault(argument => error.Key.StartsWith(argument.Name, StringComparison.Ordinal)), error.Value))
            .Where(error => error.Argument is not null)
            .GroupBy(error => error.Argument!.Name)
            .ToImmutableSortedDictionary(group => group.Key, group => string.Join(' ', group.Select(error => error.Value)));
        return new(Success: false, refused.Message)
        {
            FieldErrors = errors,
            Markdown = refused.Rejections.IsEmpty ? null : CommandMarkdown.Rejections(refused.Rejections),
        };
    }

    /// <summary>Models of the nodes' own folders, and those that were launched from elsewhere, as the demo is.</summary>
    private static IEnumerable<CommandChoice> ModelChoices(IReadOnlyList<ModelView> models, IReadOnlyList<DeploymentView> deployments) =>
    [
        .. models.Select(model => new CommandChoice(model.Id, $"{model.Id} ({model.Layers} layers, {Quantity.Bytes(model.Bytes)})")),
        .. deployments
            .DistinctBy(deployment => deployment.Model)
            .Where(deployment => models.All(model => model.Id != deployment.Model))
            .Select(deployment => new CommandChoice(deployment.Model, $"{deployment.Model} (as in {deployment.Name})")),
    ];

    private static CommandArgument Fill(CommandArgument argument, ImmutableArray<CommandChoice> models, IReadOnlyList<NodeView> nodes) => argument switch
    {
        { ChoiceSource: ChoiceSource.Models } => argument with { Choices = models, Default = models.IsEmpty ? "" : models[0].Value },
        { Name: "nodes" } when nodes.Count > 0 => argument with { Placeholder = string.Join(", ", nodes.Select(node => node.Id).Order(StringComparer.Ordinal)) },
        _ => argument,
    };

    private static string Nodes(PlanView? plan) => plan is null ? "no node yet" : string.Join(", ", plan.Stages.Select(stage => stage.Node));

    private static bool IsAway(Exception failure, CancellationToken cancellationToken) =>
        failure is HttpRequestException or IOException or JsonException or KeyNotFoundException
        || (failure is TaskCanceledException && !cancellationToken.IsCancellationRequested);
}
