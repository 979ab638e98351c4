using ClusterLlm.Coordinator.Nodes.Adding.Ssh;

namespace ClusterLlm.Coordinator.Nodes.Adding.Runs;

/// <summary>A step that can't be done; the message says why and what to do.</summary>
internal sealed class StepFailedException(string message, Exception? cause) : Exception(message, cause)
{
    /// <summary>Kind of a failure that sudo's password, or a service of the account, would mend.</summary>
    public const string NeedsRoot = "needsRoot";

    /// <summary>For programs.</summary>
    public string Kind { get; init; } = "failed";
}

/// <summary>What a running installation tells of itself.</summary>
internal sealed class RunHandle(NodeRunRegistry registry, string id)
{
    public NodeRun Run => registry.Find(id)!;

    /// <summary>The step that runs now, or ran last.</summary>
    public string Step { get; private set; } = NodeRunSteps.Connect;

    /// <summary>Runs a step.</summary>
    /// <param name="work">Returns its result and, for people, what it found or did.</param>
    public async Task<T> StepAsync<T>(string step, Func<Task<(T Result, string Detail)>> work)
    {
        Step = step;
        registry.Change(id, run => run.WithStep(step, one => one with { State = StepState.Running }));
        var (result, detail) = await work().ConfigureAwait(false);
        registry.Change(id, run => run.WithStep(step, one => one with { State = StepState.Done, Detail = detail, Fraction = one.Fraction is null ? null : 1 }));
        return result;
    }

    public void Tell(string detail) => registry.Change(id, run => run.WithStep(Step, one => one with { Detail = detail }));

    /// <param name="fraction">0 to 1.</param>
    public void Progress(double fraction) => registry.Change(id, run => run.WithStep(Step, one => one with { Fraction = fraction }));

    public void Know(string? nodeId, IEnumerable<string> notes) => registry.Change(id, run => run with { NodeId = nodeId ?? run.NodeId, Notes = [.. run.Notes, .. notes] });

    public void Succeed(DateTimeOffset now) => registry.Change(id, run => run.Succeeded(now));

    /// <param name="failure">Of a step, or of the connection.</param>
    public void Fail(Exception failure, string repeat, DateTimeOffset now)
    {
        var kind = failure switch
        {
            TargetException target => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(target.Problem.ToString()),
            StepFailedException step => step.Kind,
            _ => "failed",
        };
        registry.Change(id, run => run.Failed(new NodeRunProblem(Step, kind, failure.Message, repeat, (failure as TargetException)?.Presented), now));
    }
}
