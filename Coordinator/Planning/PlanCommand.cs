using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Placement;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Planning;

/// <summary><c>plan</c>: plans on the command line, for Macs that one has or not, without any agent.</summary>
internal static class PlanCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly Option<string> Model = new("--model")
    {
        Description = "A catalogue id (qwen2.5-72b-4bit), a folder with config.json and safetensors, or a hub name (owner/name).",
        Required = true,
    };

    private static readonly Option<string[]> Nodes = new("--nodes")
    {
        Description = "Machines, for example \"2 x M4 Pro 64GB\"; several with commas or by repeating the option.",
        Required = true,
    };

    private static readonly Option<string[]> Add = new("--add") { Description = "Also say what these machines would bring." };
    private static readonly Option<string?> Link = new("--link") { Description = $"Between the machines: {string.Join(", ", LinkCatalog.BuiltIn.Select(link => link.Name))}." };
    private static readonly Option<int> Context = new("--context") { Description = "Longest sequence in tokens.", DefaultValueFactory = _ => 4096 };
    private static readonly Option<string> Concurrency = new("--concurrency") { Description = "Requests at once; several with commas.", DefaultValueFactory = _ => "1" };
    private static readonly Option<string?> Objective = new("--objective") { Description = "latency, throughput, capacity or balanced. Default: latency for one request, throughput for more." };
    private static readonly Option<string> Engine = new("--engine") { Description = "mlx, exo, llama.cpp or builtin.", DefaultValueFactory = _ => "mlx" };
    private static readonly Option<int> Prompt = new("--prompt") { Description = "Tokens of the prompt that time to first token is for.", DefaultValueFactory = _ => 512 };
    private static readonly Option<bool> AsJson = new("--json") { Description = "Print JSON instead of tables." };

    public static async Task<int> RunAsync(string[] args)
    {
        var command = new RootCommand("Plans a model on Macs: which layers go where, and how fast it will be.") { Model, Nodes, Add, Link, Context, Concurrency, Objective, Engine, Prompt, AsJson };
        command.SetAction(PlanAsync);
        return await command.Parse(args).InvokeAsync();
    }

    private static async Task<int> PlanAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (machines, machineProblem) = MachineText.Parse(string.Join(", ", parsed.GetRequiredValue(Nodes)));
        var (added, addProblem) = parsed.GetValue(Add) is { Length: > 0 } more ? MachineText.Parse(string.Join(", ", more)) : ([], null);
        var counts = Counts(parsed.GetRequiredValue(Concurrency));
        var objective = ParseObjective(parsed.GetValue(Objective));
        var problem = machineProblem ?? addProblem ?? WhatIfCluster.Problems(machines).FirstOrDefault()
            ?? (counts.IsEmpty ? $"--concurrency is \"{parsed.GetValue(Concurrency)}\"; give whole numbers from 1, for example 1,8." : null)
            ?? (parsed.GetValue(Objective) is { } named && objective is null ? $"--objective is \"{named}\"; it must be one of latency, throughput, capacity, balanced." : null);
        var (model, notes, modelProblem) = problem is null ? await FindAsync(parsed.GetRequiredValue(Model), cancellationToken) : (null, [], null);
        if ((problem ?? modelProblem) is { } text)
        {
            await Console.Error.WriteLineAsync(text);
            return 1;
        }

        var answers = counts.Select(count =>
        {
            var goal = objective ?? (count == 1 ? PlacementObjective.Latency : PlacementObjective.Throughput);
            var spec = new DeploymentSpec("plan", model!.Id, goal, parsed.GetValue(Context), count, parsed.GetRequiredValue(Engine), [], [], goal == PlacementObjective.Balanced)
            {
                Constraints = PlanConstraints.None with { Link = parsed.GetValue(Link), PromptTokens = parsed.GetValue(Prompt) },
            };
            return (Count: count, Goal: goal, Answer: PlanAnswers.Answer(new PlanQuestion(spec, machines, added), new ClusterSnapshot([], []), model, notes, _ => null));
        }).ToArray();
        if (parsed.GetValue(AsJson))
        {
            Console.WriteLine(JsonSerializer.Serialize(answers.Select(one => new { concurrency = one.Count, objective = one.Goal, answer = View(one.Answer) }), Json));
        }
        else
        {
            foreach (var (count, goal, answer) in answers)
            {
                PlanTable.Write(model!, count, goal, answer);
            }
        }

        return answers.All(one => one.Answer is PlanAnswer.Planned) ? 0 : 3;
    }

    private static object View(PlanAnswer answer) => answer switch
    {
        PlanAnswer.Planned planned => PlanAnswerContract.From(planned),
        PlanAnswer.Refused refused => new { refused.Summary, rejections = RejectionContract.From(refused.Rejections), added = refused.Added is null ? null : AddedContract.From(refused.Added) },
        PlanAnswer.NoModel none => none,
        _ => answer,
    };

    private static ImmutableArray<int> Counts(string text)
    {
        var parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return parts.All(part => int.TryParse(part, out var count) && count is >= 1 and <= 4096) ? [.. parts.Select(int.Parse)] : [];
    }

    private static PlacementObjective? ParseObjective(string? text) =>
        Enum.GetValues<PlacementObjective>().Where(value => value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)).Select(value => (PlacementObjective?)value).FirstOrDefault();

    private static async Task<(ModelSpec? Model, ImmutableArray<string> Notes, string? Problem)> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (Directory.Exists(name))
        {
            return LocalModel.Read(name);
        }

        if (ModelCatalog.BuiltIn.Find(name) is { } known)
        {
            return (known.Spec, [$"{known.Id} is a built-in entry: {known.Source}."], null);
        }

        if (name.Split('/') is not [{ Length: > 0 }, { Length: > 0 }])
        {
            return (null, [], ModelCatalog.BuiltIn.Unknown(name));
        }

        using var http = new HttpClient();
        var answer = await new HubClient(http, Options.Create(new HubOptions())).FindAsync(name, cancellationToken);
        return (answer.Model, answer.Model is null ? [] : [$"{name} was read from the hub: config.json and headers."], answer.Problem);
    }
}
