using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;

namespace ClusterLlm.Coordinator.Nodes.Adding.Runs;

internal enum NodeRunKind
{
    Add,
    Remove,
}

internal enum NodeRunState
{
    Running,
    Succeeded,
    Failed,
}

internal enum StepState
{
    Waiting,
    Running,
    Done,
    Failed,
}

/// <summary>A step of a run.</summary>
/// <param name="Fraction">Done so far, 0 to 1, where it can be told.</param>
internal sealed record NodeRunStep(string Name, string Title, StepState State, string? Detail, double? Fraction);

/// <summary>Why a run failed.</summary>
/// <param name="Kind">For programs: hostKeyUnknown, hostKeyChanged, notAuthenticated, unreachable, lost, needsRoot, or failed.</param>
/// <param name="Repeat">How to go on.</param>
/// <param name="HostKey">The key that the machine showed, where that is the question.</param>
internal sealed record NodeRunProblem(string Step, string Kind, string Message, string Repeat, HostKey? HostKey);

/// <summary>An installation or removal over SSH, as it is now.</summary>
/// <param name="NodeId">Known once the machine has been looked at.</param>
/// <param name="Notes">What the person should know about the machine.</param>
internal sealed record NodeRun(
    string Id,
    NodeRunKind Kind,
    string Host,
    int Port,
    string User,
    NodeRunState State,
    string? NodeId,
    ImmutableArray<NodeRunStep> Steps,
    ImmutableArray<string> Notes,
    NodeRunProblem? Problem,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt)
{
    public NodeRun WithStep(string name, Func<NodeRunStep, NodeRunStep> change) =>
        this with { Steps = [.. Steps.Select(step => step.Name == name ? change(step) : step)] };

    /// <summary>The run after <paramref name="problem"/>: its step has failed, those after it wait for ever.</summary>
    public NodeRun Failed(NodeRunProblem problem, DateTimeOffset now) =>
        WithStep(problem.Step, step => step with { State = StepState.Failed, Detail = problem.Message }) with { State = NodeRunState.Failed, Problem = problem, EndedAt = now };

    public NodeRun Succeeded(DateTimeOffset now) => this with { State = NodeRunState.Succeeded, EndedAt = now };
}

/// <summary>The steps of each kind of run, in order.</summary>
internal static class NodeRunSteps
{
    public const string Connect = "connect";
    public const string Check = "check";
    public const string Agent = "agent";
    public const string Copy = "copy";
    public const string Install = "install";
    public const string Start = "start";
    public const string Join = "join";
    public const string Uninstall = "uninstall";
    public const string Forget = "forget";

    public static ImmutableArray<NodeRunStep> Of(NodeRunKind kind) => kind == NodeRunKind.Add
        ?
        [
            Waiting(Connect, "Connect over SSH"),
            Waiting(Check, "Look at the machine"),
            Waiting(Agent, "Find the agent for it"),
            Waiting(Copy, "Copy the agent and compare its hash"),
            Waiting(Install, "Install"),
            Waiting(Start, "Start the service"),
            Waiting(Join, "Wait until the node has joined"),
        ]
        :
        [
            Waiting(Connect, "Connect over SSH"),
            Waiting(Check, "Look at the machine"),
            Waiting(Uninstall, "Stop the service and delete the agent"),
            Waiting(Forget, "Take the node out of the cluster"),
        ];

    private static NodeRunStep Waiting(string name, string title) => new(name, title, StepState.Waiting, null, null);
}
