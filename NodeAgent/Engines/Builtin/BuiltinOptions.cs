using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Builtin;

/// <summary>Settings of the builtin engine.</summary>
internal sealed class BuiltinOptions
{
    public const string SectionName = "Engines:Builtin";

    /// <summary>Threads that compute, for all shards of this agent together.</summary>
    /// <value>Default 0: one per processor. More than the processors have only wait for each other.</value>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>Prompt tokens per step when the deployment does not say.</summary>
    /// <value>Default 128. Fewer let running answers wait less for a new prompt; more read each weight less often.</value>
    [Range(1, 8192)]
    public int PrefillChunkTokens { get; set; } = Model.BuiltinMemory.DefaultPrefillChunkTokens;

    /// <summary>How long a loaded shard waits for its neighbours.</summary>
    /// <value>Default 2 minutes: the slowest node may still be reading its weights from a disk.</value>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan NeighbourTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Slows this node for tests.</summary>
    public ArtificialLimits Artificial { get; set; } = new();
}

/// <summary>Checks <see cref="BuiltinOptions"/> at start.</summary>
[OptionsValidator]
internal sealed partial class BuiltinOptionsValidator : IValidateOptions<BuiltinOptions>
{
}

/// <summary>Checks <see cref="BuiltinOptions.Artificial"/> at start.</summary>
internal sealed class ArtificialLimitsValidator : IValidateOptions<BuiltinOptions>
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(10);

    public ValidateOptionsResult Validate(string? name, BuiltinOptions options)
    {
        (string Key, TimeSpan Value)[] times =
        [
            (nameof(ArtificialLimits.LayerTime), options.Artificial.LayerTime),
            (nameof(ArtificialLimits.RowTime), options.Artificial.RowTime),
            (nameof(ArtificialLimits.HopTime), options.Artificial.HopTime),
        ];
        string[] problems =
        [
            .. times.Where(time => time.Value < TimeSpan.Zero || time.Value > Most)
                .Select(time => $"{BuiltinOptions.SectionName}:Artificial:{time.Key} is {time.Value}; it must be from 0 to {Most}."),
        ];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
