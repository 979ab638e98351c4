using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>How deployments are kept running.</summary>
internal sealed class DeploymentsOptions
{
    public const string SectionName = "Deployments";

    /// <summary>How often the worker looks without being woken by a change. Default 1 s.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long nodes may take to come back after a start of the Coordinator before their deployments are re-planned. Default 15 s.</summary>
    public TimeSpan StartupGrace { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long shards of an unknown deployment are let be. Default 30 s.</summary>
    public TimeSpan OrphanGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Launches in a row by one plan that may fail: after them the plan is bad, and another one is looked for. Default 3.</summary>
    public int MaxAttempts { get; set; } = 3;

    /// <summary>Wait after the first failed launch; doubles up to <see cref="RetryLongest"/>. Default 1 s.</summary>
    public TimeSpan RetryFirst { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait between launches. Default 30 s.</summary>
    public TimeSpan RetryLongest { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long all shards together may take to load. Default 15 min.</summary>
    public TimeSpan LoadTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long an agent may take to answer a prepare, start or stop. Default 60 s.</summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Stopped deployments that stay listed; older ones are forgotten. Default 20.</summary>
    public int StoppedKept { get; set; } = 20;
}

/// <summary>Checks <see cref="DeploymentsOptions"/>.</summary>
internal sealed class DeploymentsOptionsValidator : IValidateOptions<DeploymentsOptions>
{
    public ValidateOptionsResult Validate(string? name, DeploymentsOptions options)
    {
        List<string> problems = [];
        CheckTime(problems, nameof(options.Interval), options.Interval, TimeSpan.FromSeconds(0.05));
        CheckTime(problems, nameof(options.StartupGrace), options.StartupGrace, TimeSpan.Zero);
        CheckTime(problems, nameof(options.OrphanGrace), options.OrphanGrace, TimeSpan.Zero);
        CheckTime(problems, nameof(options.RetryFirst), options.RetryFirst, TimeSpan.FromSeconds(0.01));
        CheckTime(problems, nameof(options.RetryLongest), options.RetryLongest, options.RetryFirst);
        CheckTime(problems, nameof(options.LoadTimeout), options.LoadTimeout, TimeSpan.FromSeconds(1));
        CheckTime(problems, nameof(options.CallTimeout), options.CallTimeout, TimeSpan.FromSeconds(1));
        CheckCount(problems, nameof(options.MaxAttempts), options.MaxAttempts, 1, 100);
        CheckCount(problems, nameof(options.StoppedKept), options.StoppedKept, 0, 10_000);
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static void CheckTime(List<string> problems, string key, TimeSpan value, TimeSpan least)
    {
        if (value < least || value > TimeSpan.FromDays(1))
        {
            problems.Add($"{DeploymentsOptions.SectionName}:{key} is {value}; it must be from {least} to 1.00:00:00.");
        }
    }

    private static void CheckCount(List<string> problems, string key, int value, int least, int most)
    {
        if (value < least || value > most)
        {
            problems.Add($"{DeploymentsOptions.SectionName}:{key} is {value}; it must be from {least} to {most}.");
        }
    }
}
