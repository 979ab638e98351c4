using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ClusterLlm.Coordinator.Comparisons.Workloads;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>Starts and stops candidates as deployments. Those that fit beside each other stay loaded between their visits; idle shards compute nothing.</summary>
internal sealed partial class CandidateDeployments(DeploymentCommands commands, DeploymentRegistry deployments, TimeProvider time)
{
    private static readonly TimeSpan LoadLimit = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan TellLimit = TimeSpan.FromSeconds(3);

    // The deployment and the generation that was measured first.
    private readonly Dictionary<(string CandidateId, CellShape Shape), Deployment> _running = [];

    /// <summary>Ids of the deployments that belong to the comparison.</summary>
    public ImmutableHashSet<string> Own => [.. _running.Values.Select(deployment => deployment.Id)];

    /// <returns>The deployment, ready; or why there is none.</returns>
    public async Task<(Deployment? Ready, string? Problem)> EnsureAsync(
        string comparisonId, Candidate candidate, CellShape shape, CancellationToken cancellationToken)
    {
        var key = (candidate.Id, shape);
        if (_running.TryGetValue(key, out var known))
        {
            return Problem(candidate.Id, shape) is { } problem ? (null, problem) : (known, null);
        }

        var spec = new DeploymentSpec(
            FormattableString.Invariant($"cmp-{comparisonId[^8..]}-{candidate.Id}-{shape.Concurrency}x{shape.ContextTokens}"),
            candidate.Model,
            PlacementObjective.Balanced,
            shape.ContextTokens,
            shape.Concurrency,
            candidate.Engine,
            [.. candidate.Nodes],
            candidate.Stages,
            UseAllNodes: true);
        var started = await StartAsync(key, spec, cancellationToken);
        if (started.Problem is not null && _running.Count > 0)
        {
            // Perhaps the others hold its memory.
            await StopAllAsync(cancellationToken);
            started = await StartAsync(key, spec, cancellationToken);
        }

        return started;
    }

    /// <summary>Why a running candidate can't be measured any more; <see langword="null"/> when it can.</summary>
    public string? Problem(string candidateId, CellShape shape)
    {
        var started = _running[(candidateId, shape)];
        return deployments.Current.GetValueOrDefault(started.Id) is not { } now ? "Its deployment was removed."
            : now.Generation != started.Generation ? $"Its deployment was started anew on other nodes or layers ({now.Reason ?? "no reason was given"})."
            : now.State != DeploymentState.Ready ? now.Reason ?? $"Its deployment is {now.State.ToString().ToLowerInvariant()}."
            : null;
    }

    /// <summary>Why a candidate does not answer any more: of a lost node its clients know a moment earlier than its deployment.</summary>
    /// <returns><see langword="null"/> when the deployment knows of nothing.</returns>
    public async Task<string?> WhyAsync(string candidateId, CellShape shape, CancellationToken cancellationToken)
    {
        await WaitAsync(_running[(candidateId, shape)].Id, TellLimit, _ => (Problem(candidateId, shape) is not null, null), cancellationToken);
        return Problem(candidateId, shape);
    }

    public Task StopAsync(string candidateId, CancellationToken cancellationToken) => StopAsync(key => key.CandidateId == candidateId, cancellationToken);

    public Task StopAllAsync(CancellationToken cancellationToken) => StopAsync(_ => true, cancellationToken);

    /// <summary>The candidate goes; the others are measured on.</summary>
    public async Task EndAsync(ComparisonRun run, Candidate one, string reason, CancellationToken cancellationToken)
    {
        await run.ChangeAsync(one.Id, result => result with { State = CandidateState.Incomplete, Reason = reason }, cancellationToken);
        await run.NoteAsync($"{one.Label} is incomplete: {reason}", cancellationToken);
        await StopAsync(one.Id, cancellationToken);
    }

    /// <summary>Stops what an earlier run of the Coordinator left.</summary>
    public async Task StopLeftoversAsync(CancellationToken cancellationToken)
    {
        foreach (var left in deployments.Current.Values.Where(one => OwnName().IsMatch(one.Name) && !Own.Contains(one.Id)))
        {
            await commands.StopAsync(left.Id, cancellationToken);
        }
    }

    [GeneratedRegex("^cmp-[0-9a-f]{8}-c[0-9]+-[0-9]+x[0-9]+$", RegexOptions.NonBacktracking)]
    private static partial Regex OwnName();

    private async Task StopAsync(Func<(string CandidateId, CellShape Shape), bool> which, CancellationToken cancellationToken)
    {
        foreach (var key in _running.Keys.Where(which).ToArray())
        {
            _running.Remove(key, out var deployment);
            await commands.StopAndForgetAsync(deployment!.Id, cancellationToken);
        }
    }

    private async Task<(Deployment? Ready, string? Problem)> StartAsync((string CandidateId, CellShape Shape) key, DeploymentSpec spec, CancellationToken cancellationToken)
    {
        switch (await commands.DeployAsync(spec, cancellationToken))
        {
            case DeployResult.Accepted accepted:
                _running[key] = accepted.Deployment;
                if (await ReadyAsync(accepted.Deployment.Id, cancellationToken) is { } problem)
                {
                    await StopAsync(other => other == key, cancellationToken);
                    return (null, problem);
                }

                return (_running[key] = deployments.Current[accepted.Deployment.Id], null);
            case DeployResult.Conflict conflict:
                return (null, conflict.Message);
            case DeployResult.NotPlanned { Result: PlanningResult.Refused refused }:
                return (null, refused.Summary);
            case DeployResult.NotPlanned { Result: PlanningResult.NoModel none }:
                return (null, none.Summary);
            default:
                return (null, "It could not be planned.");
        }
    }

    private async Task<string?> ReadyAsync(string id, CancellationToken cancellationToken) =>
        await WaitAsync(id, LoadLimit, one => one switch
        {
            null => (true, "its deployment was removed while it loaded."),
            { State: DeploymentState.Ready } => (true, null),
            { IsOver: true } or { Failures: > 0 } => (true, one.Reason ?? "it failed to load."),
            _ => (false, null),
        }, cancellationToken) is var (isDone, problem) && !isDone ? $"It was not ready within {LoadLimit.TotalMinutes:0} minutes." : problem;

    private async Task<(bool IsDone, string? Problem)> WaitAsync(
        string id, TimeSpan most, Func<Deployment?, (bool IsDone, string? Problem)> look, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(most, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var changes = deployments.Subscribe();
        try
        {
            await foreach (var all in changes.AllAsync(either.Token))
            {
                if (look(all.GetValueOrDefault(id)) is (true, _) done)
                {
                    return done;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The limit: the caller says what was waited for.
        }

        return (false, null);
    }
}
