using ClusterLlm.Coordinator.Comparisons.Candidates;
using ClusterLlm.Coordinator.Comparisons.Reports;
using ClusterLlm.Coordinator.Comparisons.Statistics;
using ClusterLlm.Coordinator.Comparisons.Verdicts;
using ClusterLlm.Coordinator.Comparisons.Workloads;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>Runs a comparison: scouts every candidate, then visits them round by round until enough is known. A candidate that fails ends alone.</summary>
internal sealed class ComparisonRunner(ComparisonInputs inputs, CandidateScout scout, CandidateDeployments deployments, CandidateVisit visit, TimeProvider time)
{
    public async Task RunAsync(ComparisonRun run, CancellationToken cancellationToken)
    {
        await run.ChangeAsync(record => record with { State = ComparisonState.Running, StartedAt = time.GetUtcNow(), Progress = new RunProgress("preparing", 0, 0, 0, null) }, cancellationToken);
        var (prepared, problem) = await inputs.PrepareAsync(run.Record.Spec, cancellationToken);
        if (prepared is null)
        {
            await run.ChangeAsync(record => record with { State = ComparisonState.Failed, Reason = problem, EndedAt = time.GetUtcNow(), Progress = null }, cancellationToken);
            return;
        }

        await run.ChangeAsync(record => record with { Model = prepared.Model, Machines = prepared.Machines, Cells = prepared.Cells, Notes = [.. record.Notes, .. Notes(prepared)] }, cancellationToken);
        try
        {
            await scout.RunAsync(run, prepared, cancellationToken);
            await MeasureAsync(run, prepared, cancellationToken);
            await run.NoteAsync(EnergyText.Of(run.Record), cancellationToken);
        }
        finally
        {
            // The caller may be gone; its shards must go as well, and before anyone is told that it is over.
            await deployments.StopAllAsync(CancellationToken.None);
        }

        await run.ChangeAsync(record => Judged(record) with { State = ComparisonState.Completed, EndedAt = time.GetUtcNow(), Progress = null }, cancellationToken);
    }

    /// <summary>What is said of what there is; nothing is measured for it.</summary>
    public static ComparisonRecord Judged(ComparisonRecord record)
    {
        var verdict = VerdictMaker.Decide(record.Candidates, record.Cells, record.Samples, VerdictRule.Default);
        var slowed = record.Machines.Where(machine => machine.ArtificialLimits is not null).Select(machine => machine.Node).ToArray();
        return record with
        {
            Verdict = slowed.Length == 0
                ? verdict
                : verdict with { Headline = $"{verdict.Headline} (Artificial limits on {string.Join(", ", slowed)}: this is a test, not a statement about the machines.)" },
        };
    }

    private static IEnumerable<string> Notes(PreparedComparison prepared)
    {
        foreach (var missing in prepared.MissingEngines)
        {
            yield return missing;
        }

        if (prepared.Model.PromptSource.StartsWith("token ids", StringComparison.Ordinal))
        {
            yield return $"Prompts are {prepared.Model.PromptSource}.";
        }

        foreach (var machine in prepared.Machines.Where(machine => machine.ArtificialLimits is not null))
        {
            yield return $"ARTIFICIAL LIMITS on {machine.Node}: {machine.ArtificialLimits}. Its figures say nothing about the machine.";
        }

        if (prepared.Machines.Length > 1 && prepared.Question.Cluster.Nodes.Select(node => node.MachineId).Distinct().Count() == 1)
        {
            yield return "All nodes are agents of one machine and share its processors: a cluster of them can't be faster than one of them with all of it.";
        }
    }

    private async Task MeasureAsync(ComparisonRun run, PreparedComparison prepared, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var rule = run.Record.Spec.Repeats;
        var done = 0;
        for (var round = 0; run.Living.Length > 0 && !RepeatPolicy.IsEnough(run.Record.Candidates, run.Record.Cells, run.Record.Samples, round, rule); round++)
        {
            if (time.GetElapsedTime(began) > rule.TimeLimit)
            {
                await run.NoteAsync($"The time limit of {rule.TimeLimit} ended the measurement after {round} rounds.", cancellationToken);
                break;
            }

            var plan = new VisitPlan(round, run.Record.Spec.Seed, prepared.Cells, prepared.Prompts);
            var smallerPlan = prepared.SmallerPrompts is null ? null : new VisitPlan(round, run.Record.Spec.Seed, prepared.Cells, prepared.SmallerPrompts);
            var living = run.Living;
            foreach (var one in RoundOrder.Of(living.Length, round, run.Record.Spec.Seed).Select(index => living[index].Candidate))
            {
                var (visits, most) = (done++, rule.MostRounds * living.Length);
                double? left = visits == 0 ? null : time.GetElapsedTime(began).TotalSeconds / visits * Math.Max(0, most - visits);
                var round1 = round + 1;
                await run.ChangeAsync(record => record with { Progress = new RunProgress($"round {round1}, {one.Label}", round1, visits, most, left) }, cancellationToken);
                await VisitAsync(run, prepared, one, one.Kind == CandidateKind.Smaller ? smallerPlan! : plan, cancellationToken);
            }
        }
    }

    private async Task VisitAsync(ComparisonRun run, PreparedComparison prepared, Candidate one, VisitPlan plan, CancellationToken cancellationToken)
    {
        foreach (var shape in prepared.Question.Shapes)
        {
            if (!await VisitAsync(run, one, shape, plan, cancellationToken))
            {
                return;
            }
        }
    }

    /// <returns><see langword="false"/> when the candidate has ended.</returns>
    private async Task<bool> VisitAsync(ComparisonRun run, Candidate one, CellShape shape, VisitPlan plan, CancellationToken cancellationToken)
    {
        var (ready, problem) = await deployments.EnsureAsync(run.Record.Id, one, shape, cancellationToken);
        if (ready is null)
        {
            await deployments.EndAsync(run, one, problem!, cancellationToken);
            return false;
        }

        var result = await visit.RunAsync(one, ready, plan, shape, deployments.Own, cancellationToken);
        await run.ChangeAsync(
            record => (record with { Samples = [.. record.Samples, .. result.Samples] }).With(record.Find(one.Id)! is var before
                ? before with { State = CandidateState.Measured, NodeUse = NodeObserver.Join(before.NodeUse, result.Uses) }
                : throw new InvalidOperationException("A candidate that is measured is listed.")),
            cancellationToken);
        foreach (var disturbed in result.Samples.Where(sample => !sample.Counts))
        {
            await run.NoteAsync($"Round {plan.Round + 1}, {one.Label}, {disturbed.Cell}: not counted, {disturbed.Problem}.", cancellationToken);
        }

        var why = result.Problem is null ? deployments.Problem(one.Id, shape) : await deployments.WhyAsync(one.Id, shape, cancellationToken);
        if ((why ?? result.Problem) is { } ended)
        {
            await deployments.EndAsync(run, one, ended, cancellationToken);
            return false;
        }

        return true;
    }
}
