using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Candidates;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>
/// Takes a first look at every candidate: whether it starts, what it answers, how fast it is about. Single nodes come first, since plans over several are made with their speeds.
/// </summary>
internal sealed class CandidateScout(CandidateDeployments deployments, CandidateVisit visit, TimeProvider time)
{
    public async Task RunAsync(ComparisonRun run, PreparedComparison prepared, CancellationToken cancellationToken)
    {
        var planned = CandidatePlanner.New([], CandidatePlanner.Singles(prepared.Question, CandidateKind.Single));
        if (prepared.Smaller is not null)
        {
            planned = CandidatePlanner.New(planned, CandidatePlanner.Singles(prepared.Smaller, CandidateKind.Smaller));
        }

        var steps = new Dictionary<(string Node, string Engine), SeenStep>();
        await ScoutAsync(run, prepared, planned, steps, cancellationToken);
        var seen = prepared.Question with
        {
            Cluster = SeenSpeeds.Apply(prepared.Question.Cluster, prepared.Question.Model, prepared.Question.Busiest.ContextTokens, steps, time.GetUtcNow()),
        };
        var all = CandidatePlanner.New(planned, [.. CandidatePlanner.Manual(prepared.Question, run.Record.Spec.Layers), .. CandidatePlanner.Clusters(seen)]);
        await ScoutAsync(run, prepared, [.. all.Skip(planned.Length)], steps, cancellationToken);
        await run.ChangeAsync(record => record with { Candidates = AnswerCheck.Apply(record.Candidates) }, cancellationToken);
        foreach (var wrong in run.Record.Candidates.Where(one => one.State == CandidateState.Wrong))
        {
            await deployments.StopAsync(wrong.Candidate.Id, cancellationToken);
        }
    }

    private async Task ScoutAsync(
        ComparisonRun run, PreparedComparison prepared, ImmutableArray<PlannedCandidate> planned, Dictionary<(string Node, string Engine), SeenStep> steps, CancellationToken cancellationToken)
    {
        await run.ChangeAsync(record => record with { Candidates = [.. record.Candidates, .. planned.Select(one => First(prepared, one))] }, cancellationToken);
        var shape = prepared.Question.Busiest;
        foreach (var one in planned.Where(one => one.Refusal is null).Select(one => one.Candidate))
        {
            await run.ChangeAsync(record => record with { Progress = new RunProgress($"first look at {one.Label}", 0, 0, 0, null) }, cancellationToken);
            var (ready, problem) = await deployments.EnsureAsync(run.Record.Id, one, shape, cancellationToken);
            if (ready is null)
            {
                await run.ChangeAsync(one.Id, result => result with { State = CandidateState.Refused, Reason = problem }, cancellationToken);
                continue;
            }

            var batch = one.Kind == CandidateKind.Single ? shape.Concurrency : 1;
            var scouted = await visit.ScoutAsync(ready.Name, prepared.PromptsOf(one), shape.ContextTokens, batch, cancellationToken);
            await run.ChangeAsync(one.Id, result => result with { Answer = scouted.Answer }, cancellationToken);
            if (scouted.Problem is not null)
            {
                await deployments.EndAsync(run, one, deployments.Problem(one.Id, shape) ?? scouted.Problem, cancellationToken);
            }
            else if (one.Kind == CandidateKind.Single)
            {
                steps[(one.Stages[0].NodeId, one.Engine)] = scouted.Step;
            }
        }
    }

    private static CandidateResult First(PreparedComparison prepared, PlannedCandidate planned)
    {
        var one = planned.Candidate;
        var question = one.Kind == CandidateKind.Smaller ? prepared.Smaller! : prepared.Question;
        var version = prepared.Machines.FirstOrDefault(machine => machine.Node == one.Stages[0].NodeId)?.Engines.GetValueOrDefault(one.Engine) ?? "";
        return new CandidateResult(
            one,
            planned.Refusal is null ? CandidateState.Waiting : CandidateState.Refused,
            planned.Refusal,
            planned.Plans.MaxBy(plan => plan.Stages.Sum(stage => stage.TotalBytes))?.Stages ?? [],
            version,
            planned.Refusal is null ? CellPredictions.Of(question, planned.Plans, prepared.Cells) : [],
            LongestContext(question, planned.Plans),
            null,
            null,
            []);
    }

    private static int LongestContext(CandidateQuestion question, ImmutableArray<PlacementPlan> plans)
    {
        if (plans.IsEmpty || question.Cluster.Knowledge is not { } knowledge)
        {
            return 0;
        }

        var plan = plans[question.Shapes.IndexOf(question.Busiest)];

        ImmutableArray<ManualStage> cuts = [.. plan.Stages.Select(stage => new ManualStage(stage.NodeId, stage.FirstLayer, stage.FirstLayer + stage.LayerCount))];
        var request = new PlacementRequest(PlacementObjective.Balanced, plan.ContextTokens, question.Busiest.Concurrency, plan.Engine, [], cuts);
        return new PlanPredictor(question.Cluster, knowledge, question.Model, request)
            .Predict(EngineFacts.Of(plan.Engine), cuts, plan.ContextTokens, plan.MicroBatches).LongestContextTokens;
    }
}
