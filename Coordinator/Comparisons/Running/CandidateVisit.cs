using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Candidates;
using ClusterLlm.Coordinator.Comparisons.Load;
using ClusterLlm.Coordinator.Comparisons.Workloads;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>What a visit brought.</summary>
/// <param name="Problem">Why the candidate can't go on; <see langword="null"/> when it can.</param>
internal sealed record VisitResult(ImmutableArray<Sample> Samples, ImmutableArray<NodeUse> Uses, string? Problem);

/// <summary>What the first short requests to a candidate showed.</summary>
internal sealed record ScoutResult(string? Answer, SeenStep Step, string? Problem);

/// <summary>Measures one candidate once, at every cell.</summary>
internal sealed class CandidateVisit(ISelfEndpoint self, NodeRegistry nodes, TimeProvider time)
{
    private const int CheckPromptTokens = 24;
    private const int CheckOutputTokens = 24;
    private const int LooksAlone = 3;

    // A few tokens in common (a begin-of-text token) are no cache.
    private const double CacheTolerance = 0.02;
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(15);

    /// <summary>A greedy answer to the fixed prompt, and how fast tokens come for one request and for many; excluded from all figures.</summary>
    /// <param name="batch">The many; 1 leaves them out.</param>
    public async Task<ScoutResult> ScoutAsync(string deployment, PromptMaker prompts, int contextTokens, int batch, CancellationToken cancellationToken)
    {
        var output = Math.Max(2, Math.Min(CheckOutputTokens, contextTokens / 2));
        var input = Math.Max(1, Math.Min(CheckPromptTokens, contextTokens - output));
        LoadRequest[] Requests(int first, int count) =>
            [.. Enumerable.Range(first, count).Select(index => new LoadRequest(prompts.Make(input, PromptSeeds.Check + index), output, KeepText: index == 0))];
        // The first one also warms up; the speed is the best of those after it.
        var alone = await RunAsync(deployment, Requests(0, LooksAlone), 1, cancellationToken);
        var together = batch == 1 ? alone : await RunAsync(deployment, Requests(LooksAlone, batch), batch, cancellationToken);
        return alone.Concat(together).FirstOrDefault(timing => !timing.IsAnswered) is { } failed
            ? new ScoutResult(null, default, $"It did not answer: {failed.Problem}.")
            : new ScoutResult(alone[0].Text, new SeenStep(Step(alone.Skip(1)), Step(together.Skip(batch == 1 ? 1 : 0)), batch), null);
    }

    /// <param name="shape">The deployment's: its cells are measured.</param>
    /// <param name="own">Deployments of the comparison: work on others disturbs.</param>
    public async Task<VisitResult> RunAsync(
        Candidate candidate, Deployment deployment, VisitPlan plan, CellShape shape, ImmutableHashSet<string> own, CancellationToken cancellationToken)
    {
        await UntilIdleAsync(own, cancellationToken);
        await using var observer = new NodeObserver(nodes, own, deployment.Id, candidate.Nodes);
        await RunAsync(deployment.Name, plan.WarmUp(shape), shape.Concurrency, cancellationToken);
        observer.TakeDisturbance();
        observer.TakePower();
        var samples = ImmutableArray.CreateBuilder<Sample>();
        foreach (var index in plan.CellsOf(shape))
        {
            var summary = LoadSummary.Of(await RunAsync(deployment.Name, plan.Requests(index), plan.Cells[index].Concurrency, cancellationToken));
            if (summary.Answered == 0)
            {
                return new VisitResult(samples.ToImmutable(), observer.Uses, $"None of {summary.Failed} requests was answered: {string.Join("; ", summary.Problems)}.");
            }

            samples.Add(ToSample(candidate, plan, plan.Cells[index], summary, observer.TakeDisturbance()) with { PowerWatts = observer.TakePower() });
        }

        return new VisitResult(samples.ToImmutable(), observer.Uses, null);
    }

    private static double Step(IEnumerable<RequestTiming> timings) => 1e3 / timings.Max(timing => timing.DecodeTokensPerSecond);

    private async Task<ImmutableArray<RequestTiming>> RunAsync(
        string deployment, IReadOnlyList<LoadRequest> requests, int concurrency, CancellationToken cancellationToken) =>
        await new LoadGenerator(self.Http, time).RunAsync(
            new LoadTarget(self.BaseUrl, deployment, LoadApi.Completions, IgnoreEnd: true), requests, new LoadShape.Closed(concurrency), cancellationToken);

    private static Sample ToSample(Candidate candidate, VisitPlan plan, Cell cell, LoadSummary summary, string? disturbance)
    {
        var promptTokens = (double)cell.Workload.PromptTokens * summary.Answered;
        var problem = disturbance
            ?? (summary.Failed > 0 ? $"{summary.Failed} of {summary.Failed + summary.Answered} requests failed: {string.Join("; ", summary.Problems)}" : null)
            ?? (summary.CachedTokens > CacheTolerance * promptTokens ? $"{summary.CachedTokens} of {promptTokens:0} prompt tokens came from a cache" : null);
        return new Sample(
            candidate.Id,
            plan.Round,
            cell,
            Finite(summary.AggregateTokensPerSecond),
            Finite(summary.DecodeP50),
            Finite(summary.PrefillP50),
            Finite(summary.TimeToFirstTokenP50),
            Finite(summary.TimeToFirstTokenP95),
            Finite(summary.GapP50Milliseconds),
            Finite(summary.GapP95Milliseconds),
            summary.Answered,
            summary.Failed,
            summary.CachedTokens,
            problem);
    }

    /// <summary>Waits until no node does other work; what is still there after the limit is noted by the observer.</summary>
    private async Task UntilIdleAsync(ImmutableHashSet<string> own, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(IdleLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var changes = nodes.Subscribe();
        try
        {
            await foreach (var all in changes.AllAsync(either.Token))
            {
                if (all.Values.All(node => NodeObserver.ForeignWork(node, own) is null))
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Measured all the same, and marked.
        }
    }

    // JSON has no NaN.
    private static double Finite(double value) => double.IsFinite(value) ? Math.Round(value, 6) : 0;
}
