using System.CommandLine;

namespace ClusterLlm.Coordinator.Comparisons.Commands;

/// <summary><c>compare</c>: comparisons on the command line, by a Coordinator that runs; <c>compare load</c> measures any OpenAI endpoint.</summary>
internal static class CompareCommand
{
    private static readonly Option<string?> Model = new("--model") { Description = "A model id of the cluster, or a folder that the nodes can see." };
    private static readonly Option<string[]> Nodes = new("--nodes") { Description = "Only these nodes; several with commas.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string[]> Engines = new("--engines") { Description = "Only these engines: mlx, exo, builtin.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string?> Prompts = new("--workloads") { Description = "Prompt+output tokens, for example 128+64,2048+64." };
    private static readonly Option<string?> Concurrency = new("--concurrency") { Description = "Requests at once, for example 1,2,4,8." };
    private static readonly Option<string?> Smaller = new("--smaller-model") { Description = "Also measure this model on single nodes." };
    private static readonly Option<string[]> Layers = new("--layers")
    {
        Description = "Also measure this plan: stages in order as node=first-last layer, for example node-1=0-11,node-2=12-23.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<int?> Rounds = new("--rounds") { Description = "Rounds at least; default 5." };
    private static readonly Option<int?> MostRounds = new("--most-rounds") { Description = "Rounds at most; default 12." };
    private static readonly Option<int?> Minutes = new("--minutes") { Description = "No round begins so long after the first one; default 30." };
    private static readonly Option<string> Url = new("--url") { Description = "The Coordinator's API.", DefaultValueFactory = _ => "http://127.0.0.1:7420", Recursive = true };
    private static readonly Option<FileInfo?> Html = new("--html") { Description = "Write the report to this file." };
    private static readonly Option<bool> AsJson = new("--json") { Description = "Print the whole record as JSON." };

    public static async Task<int> RunAsync(string[] args)
    {
        var command = new RootCommand("Is the cluster faster than one of its nodes? Measures both and says.")
        {
            Model, Nodes, Engines, Prompts, Concurrency, Smaller, Layers, Rounds, MostRounds, Minutes, Url, Html, AsJson,
        };
        command.SetAction(CompareAsync);
        command.Subcommands.Add(LoadCommand.Create());
        command.Subcommands.Add(ShareCommands.Export(Url));
        command.Subcommands.Add(ShareCommands.Import(Url));
        return await command.Parse(args).InvokeAsync();
    }

    private static async Task<int> CompareAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(Model) is not { Length: > 0 } model)
        {
            await Console.Error.WriteLineAsync("--model is missing: name a model of the cluster, or a folder that its nodes can see.");
            return 1;
        }

        var (body, problem) = CompareBody.Of(
            model,
            Split(parsed.GetValue(Nodes)),
            Split(parsed.GetValue(Engines)),
            parsed.GetValue(Prompts),
            parsed.GetValue(Concurrency),
            parsed.GetValue(Smaller),
            Split(parsed.GetValue(Layers)),
            new RoundOptions(parsed.GetValue(Rounds), parsed.GetValue(MostRounds), parsed.GetValue(Minutes)));
        if (body is null)
        {
            await Console.Error.WriteLineAsync(problem);
            return 1;
        }

        using var client = new ComparisonClient(parsed.GetRequiredValue(Url));
        return await client.TryAsync(() => RemoteComparison.RunAsync(client, body, parsed.GetValue(AsJson), parsed.GetValue(Html), cancellationToken), cancellationToken);
    }

    private static string[] Split(string[]? values) =>
        [.. (values ?? []).SelectMany(value => value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}
