using System.Globalization;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>Checks <see cref="NodesOptions"/>: ranges, and that renewals come often enough for the lease.</summary>
internal sealed class NodesOptionsValidator : IValidateOptions<NodesOptions>
{
    public ValidateOptionsResult Validate(string? name, NodesOptions options)
    {
        List<string> problems = [];
        Check(problems, nameof(options.LeaseDuration), options.LeaseDuration, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Check(problems, nameof(options.RenewInterval), options.RenewInterval, TimeSpan.FromSeconds(0.1), TimeSpan.FromMinutes(5));
        Check(problems, nameof(options.StreamGrace), options.StreamGrace, TimeSpan.FromSeconds(0.1), TimeSpan.FromMinutes(10));
        Check(problems, nameof(options.CheckInterval), options.CheckInterval, TimeSpan.FromSeconds(0.05), TimeSpan.FromMinutes(1));
        Check(problems, nameof(options.TelemetryInterval), options.TelemetryInterval, TimeSpan.FromSeconds(0.1), TimeSpan.FromMinutes(1));
        Check(problems, nameof(options.ReconnectFirst), options.ReconnectFirst, TimeSpan.FromSeconds(0.01), TimeSpan.FromMinutes(1));
        Check(problems, nameof(options.ReconnectLongest), options.ReconnectLongest, options.ReconnectFirst, TimeSpan.FromMinutes(10));
        if (options.RenewInterval > options.LeaseDuration / 2)
        {
            problems.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{NodesOptions.SectionName}:RenewInterval is {options.RenewInterval}; it must be at most half of {NodesOptions.SectionName}:LeaseDuration ({options.LeaseDuration})."));
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static void Check(List<string> problems, string key, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
        {
            problems.Add($"{NodesOptions.SectionName}:{key} is {value}; it must be from {least} to {most}.");
        }
    }
}
