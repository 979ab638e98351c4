using System.Collections.Immutable;

namespace ClusterLlm.AppHost.Commands;

/// <summary>The commands that the cluster can really do; one whose feature does not exist is not listed.</summary>
internal static class ClusterCommands
{
    public const string Launch = "launch-sharded-model";
    public const string Plan = "plan-only";
    public const string Compare = "compare-with-one-node";
    public const string Stop = "stop-deployment";
    public const string Restart = "restart-deployment";
    public const string Forget = "forget-deployment";
    public const string TestPrompt = "send-test-prompt";
    public const string Drain = "drain-node";
    public const string Resume = "resume-node";
    public const string Remove = "remove-node";
    public const string AddMac = "add-mac";
    public const string JoinToken = "make-join-token";

    public const string DefaultPrompt = "What is a shard?";

    /// <summary>In the order in which the dashboard shows them.</summary>
    public static ImmutableArray<CommandDescription> All { get; } =
    [
        new(Launch, CommandTarget.Coordinator, "Launch a sharded model job", "Plans which node holds which layers, and starts the model on them.")
        {
            Icon = "Rocket",
            IsHighlighted = true,
            Arguments = [.. PlanArguments, Name],
            Rule = LaunchRequest.Rule,
        },
        new(Plan, CommandTarget.Coordinator, "Plan only", "Shows the plan that a launch would get, or why there is none. Changes nothing.")
        {
            Icon = "ClipboardTaskListLtr",
            Arguments = [.. PlanArguments],
            Rule = LaunchRequest.Rule,
        },
        new(AddMac, CommandTarget.Coordinator, "Add a Mac", "Makes another Mac (or Linux machine) a node, over SSH. Run again, it upgrades the agent there.")
        {
            Icon = "Add",
            Arguments = Commands.AddMac.Arguments,
        },
        new(JoinToken, CommandTarget.Coordinator, "Make a join token", "For a machine that is set up by hand: with the token, its agent becomes a node.")
        {
            Icon = "Key",
            Arguments = Commands.JoinToken.Arguments,
        },
        new(Compare, CommandTarget.Coordinator, "Compare with one node", "Measures the cluster and each node alone with the same prompts, and says which is faster, for whom and by how much.")
        {
            Icon = "Scales",
            IsHighlighted = true,
            Arguments =
            [
                PlanArguments[0],
                PlanArguments.Single(argument => argument.Name == "nodes"),
                new("workloads", "Workloads", ArgumentKind.Text)
                {
                    Placeholder = "128+64, and 2048+64 and 8192+64 as the context allows",
                    Description = "Prompt + output tokens, separated by commas. The first is measured for all numbers of requests below, the others for one request.",
                },
                new("concurrency", "Requests at once", ArgumentKind.Text) { Default = "1, 2, 4, 8", Description = "One or more numbers, separated by commas." },
                new("smallerModel", "Smaller model", ArgumentKind.Text) { Placeholder = "none", Description = "Also measured on each node alone: what one gets without a cluster at the price of another model." },
                new("rounds", "Rounds", ArgumentKind.Number) { Least = 2, Most = 1000, Placeholder = "5", Description = "At least so many; more are measured while the spread asks for them." },
                new("minutesLimit", "Minutes", ArgumentKind.Number) { Most = 24 * 60, Placeholder = "30", Description = "No round begins after so many." },
            ],
            Rule = CompareRequest.Rule,
        },
        new(TestPrompt, CommandTarget.Deployment, "Send a test prompt", "Sends one chat request and shows the answer, the time to the first token and the speed.")
        {
            Icon = "Chat",
            IsHighlighted = true,
            Arguments =
            [
                new("prompt", "Prompt", ArgumentKind.Text) { Required = true, Default = DefaultPrompt },
                new("maxTokens", "Most tokens", ArgumentKind.Number) { Default = "64", Most = 4096, Description = "Length of the answer at most, in tokens." },
            ],
        },
        new(Stop, CommandTarget.Deployment, "Stop", "Ends the model's shards on all nodes and frees their memory.")
        {
            Icon = "Stop",
            IsHighlighted = true,
            Confirmation = "Stop this deployment? Requests that are running end.",
        },
        new(Restart, CommandTarget.Deployment, "Restart", "Plans anew and starts the shards again.") { Icon = "ArrowClockwise" },
        new(Forget, CommandTarget.Deployment, "Forget", "Takes the stopped deployment off the list.") { Icon = "Delete" },
        new(Drain, CommandTarget.Node, "Drain", "Lets the node take no new shards; its deployments move to other nodes where they fit.")
        {
            Icon = "ArrowExit",
            Confirmation = "Drain this node? Its deployments move to other nodes where they fit.",
        },
        new(Resume, CommandTarget.Node, "Resume", "Ends a drain: the node takes shards again.") { Icon = "Play" },
        new(Remove, CommandTarget.Node, "Remove", "Takes the node out of the cluster. An agent that still runs joins again.")
        {
            Icon = "Delete",
            Confirmation = "Take this node out of the cluster? An agent that still runs joins again.",
        },
    ];

    private static ImmutableArray<CommandArgument> PlanArguments =>
    [
        new("model", "Model", ArgumentKind.Choice)
        {
            Required = true,
            ChoiceSource = ChoiceSource.Models,
            AllowsOther = true,
            Description = "A model that the cluster has, or a folder that the nodes can see.",
        },
        new("objective", "Objective", ArgumentKind.Choice)
        {
            Default = "latency",
            Choices =
            [
                new("latency", "latency: one request as fast as possible"),
                new("throughput", "throughput: most tokens per second over all requests"),
                new("capacity", "capacity: the longest context"),
                new(LaunchRequest.AllNodes, "all nodes: split over every node named below"),
            ],
        },
        new("contextTokens", "Context", ArgumentKind.Number)
        {
            Most = 16 * 1024 * 1024,
            Placeholder = "the model's, at most 4096",
            Description = "Longest sequence in tokens, prompt and answer together.",
        },
        new("concurrency", "Concurrency", ArgumentKind.Number) { Default = "4", Most = 4096, Description = "Sequences at once." },
        new("nodes", "Nodes", ArgumentKind.Text)
        {
            Placeholder = "all",
            Description = "Only these nodes, separated by commas; empty lets the planner choose.",
        },
    ];

    private static CommandArgument Name => new("name", "Name", ArgumentKind.Text)
    {
        MostCharacters = 63,
        Placeholder = "made from the model's",
        Description = "What clients ask for as model; lower-case letters, digits and hyphens.",
    };

    public static IEnumerable<CommandDescription> For(CommandTarget target) => All.Where(command => command.Target == target);

    /// <exception cref="ArgumentException">There is no such command.</exception>
    public static CommandDescription Find(string name) => All.FirstOrDefault(command => command.Name == name)
        ?? throw new ArgumentException($"There is no command '{name}'; known are {string.Join(", ", All.Select(command => command.Name))}.", nameof(name));
}
