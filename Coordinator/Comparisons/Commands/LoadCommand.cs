using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using ClusterLlm.Coordinator.Comparisons.Load;
using ClusterLlm.Coordinator.Comparisons.Reports;
using ClusterLlm.Coordinator.Comparisons.Storage;
using ClusterLlm.Coordinator.Comparisons.Workloads;
using ClusterLlm.ModelFiles;
using Spectre.Console;

namespace ClusterLlm.Coordinator.Comparisons.Commands;

/// <summary><c>compare load</c>: the load generator by itself, against any OpenAI endpoint.</summary>
internal static class LoadCommand
{
    // Words of English are somewhat more than a token; without a tokenizer the endpoint's own count is shown.
    private const int AssumedVocabulary = 32_000;

    // A run without any answer has figures that are no numbers.
    private static readonly JsonSerializerOptions Json = new(ComparisonStore.Json) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private static readonly Option<string> Endpoint = new("--endpoint") { Description = "The address that ends with /v1, for example http://127.0.0.1:1234/v1.", Required = true };
    private static readonly Option<string> Model = new("--model") { Description = "As the endpoint calls it.", Required = true };
    private static readonly Option<DirectoryInfo?> Tokenizer = new("--tokenizer") { Description = "A folder with the model's tokenizer.json: prompts get an exact number of tokens." };
    private static readonly Option<int> Prompt = new("--prompt") { Description = "Prompt tokens.", DefaultValueFactory = _ => 128 };
    private static readonly Option<int> Output = new("--output") { Description = "Tokens of each answer at most.", DefaultValueFactory = _ => 64 };
    private static readonly Option<int> Workers = new("--concurrency") { Description = "Closed loop: requests at once.", DefaultValueFactory = _ => 1 };
    private static readonly Option<double?> Rate = new("--rate") { Description = "Open loop instead: requests per second, at random times, whatever the endpoint does." };
    private static readonly Option<int> Requests = new("--requests") { Description = "In all.", DefaultValueFactory = _ => 8 };
    private static readonly Option<LoadApi> Api = new("--api") { Description = "Chat or completions.", DefaultValueFactory = _ => LoadApi.Chat };
    private static readonly Option<string?> Key = new("--key") { Description = "Sent as bearer token; better in CLUSTERLLM_LOAD_KEY." };
    private static readonly Option<int> Seed = new("--seed") { Description = "Of prompts and times.", DefaultValueFactory = _ => 1 };
    private static readonly Option<bool> AsJson = new("--json") { Description = "Print JSON." };

    public static Command Create()
    {
        var command = new Command("load", "Measures any OpenAI endpoint with the same definitions: LM Studio, mlx_lm.server, Ollama, exo, this cluster.")
        {
            Endpoint, Model, Tokenizer, Prompt, Output, Workers, Rate, Requests, Api, Key, Seed, AsJson,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (Problem(parsed) is { } problem)
        {
            await Console.Error.WriteLineAsync(problem);
            return 1;
        }

        using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(10) }) { Timeout = Timeout.InfiniteTimeSpan };
        var generator = new LoadGenerator(http, TimeProvider.System);
        var target = new LoadTarget(new Uri($"{parsed.GetRequiredValue(Endpoint).TrimEnd('/')}/"), parsed.GetRequiredValue(Model), parsed.GetValue(Api), IgnoreEnd: true)
        {
            ApiKey = parsed.GetValue(Key) ?? Environment.GetEnvironmentVariable("CLUSTERLLM_LOAD_KEY"),
        };
        LoadRequest[] requests;
        try
        {
            requests = Make(parsed);
        }
        catch (Exception failure) when (failure is ArgumentException or ModelFileException)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return 1;
        }

        await generator.RunAsync(target, [requests[0] with { OutputTokens = Math.Min(4, parsed.GetValue(Output)) }], new LoadShape.Closed(1), cancellationToken);
        LoadShape shape = parsed.GetValue(Rate) is { } rate
            ? LoadShape.Open.Poisson(requests.Length - 1, rate, new Random(parsed.GetValue(Seed)))
            : new LoadShape.Closed(parsed.GetValue(Workers));
        var timings = await generator.RunAsync(target, requests[1..], shape, cancellationToken);
        var summary = LoadSummary.Of(timings);
        if (parsed.GetValue(AsJson))
        {
            Console.WriteLine(JsonSerializer.Serialize(new { summary, timings }, Json));
        }
        else
        {
            Write(summary, [.. timings], shape);
        }

        return summary.Failed == 0 ? 0 : 3;
    }

    private static string? Problem(ParseResult parsed) =>
        !Uri.TryCreate(parsed.GetRequiredValue(Endpoint), UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")
            ? $"--endpoint is \"{parsed.GetRequiredValue(Endpoint)}\"; give an http or https address such as http://127.0.0.1:1234/v1."
        : parsed.GetValue(Prompt) < 1 || parsed.GetValue(Output) < 2 || parsed.GetValue(Requests) < 1 || parsed.GetValue(Workers) < 1
            ? "--prompt, --requests and --concurrency must be 1 or more, --output 2 or more."
        : parsed.GetValue(Rate) is <= 0 ? $"--rate is {parsed.GetValue(Rate)}; give requests per second above 0." : null;

    /// <summary>One more than asked: the first one warms up and is not counted.</summary>
    private static LoadRequest[] Make(ParseResult parsed)
    {
        var tokenizer = parsed.GetValue(Tokenizer) is { } folder ? ModelTokenizer.Load(folder.FullName) : null;
        var prompts = tokenizer is null ? null : new PromptMaker(tokenizer, AssumedVocabulary);
        var (length, seed) = (parsed.GetValue(Prompt), parsed.GetValue(Seed));
        return
        [
            .. Enumerable.Range(0, parsed.GetValue(Requests) + 1).Select(index => new LoadRequest(
                prompts?.Make(length, PromptSeeds.Of(seed, 0, 0, index)) ?? WordText.Make(length, PromptSeeds.Of(seed, 0, 0, index)), parsed.GetValue(Output), KeepText: false)),
        ];
    }

    private static void Write(LoadSummary summary, RequestTiming[] timings, LoadShape shape)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("measure").AddColumn("value");
        void Row(string name, double value, string unit) => table.AddRow(name, $"{ReportText.Number(value)} {unit}");
        Row("answered", summary.Answered, $"of {summary.Answered + summary.Failed}");
        Row("all together", summary.AggregateTokensPerSecond, "tok/s");
        Row("decode of one request, median", summary.DecodeP50, "tok/s");
        Row("prefill, median", summary.PrefillP50, "tok/s");
        Row("time to first token, median", 1e3 * summary.TimeToFirstTokenP50, "ms");
        Row("time to first token, p95", 1e3 * summary.TimeToFirstTokenP95, "ms");
        Row("gap between chunks, median", summary.GapP50Milliseconds, "ms");
        Row("gap between chunks, p95", summary.GapP95Milliseconds, "ms");
        Row("prompt tokens as the endpoint counts", timings.Max(one => one.PromptTokens ?? 0), "");
        Row("prompt tokens from a cache", summary.CachedTokens, "");
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(shape is LoadShape.Open
            ? "Open loop: times count from when a request was due, also while the endpoint kept it waiting."
            : "Closed loop: a slow endpoint got fewer requests; what users would wait in a queue is not in these times.");
        foreach (var problem in summary.Problems.Concat(timings.Any(one => one.IsAnswered && !one.TokensAreCounted) ? ["The endpoint does not count its tokens; chunks were counted instead."] : []))
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{problem}[/]");
        }
    }
}
