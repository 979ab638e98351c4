using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Hardware.Power;

/// <summary>The program that measures power, with all its arguments.</summary>
/// <param name="Path">In full.</param>
internal sealed record PowerCommand(string Path, ImmutableArray<string> Arguments)
{
    /// <summary>The value of the setting that turns it off.</summary>
    public const string Off = "none";

    private const string Powermetrics = "/usr/bin/powermetrics";

    // -b 1: a line is written when it is complete, although standard output is no terminal (powermetrics(1)).
    private static readonly ImmutableArray<string> Options = ["--samplers", "cpu_power", "-i", "1000", "-b", "1"];

    /// <param name="setting"><c>Node:PowerCommand</c>.</param>
    /// <returns><see langword="null"/> when power is not measured: powermetrics needs the rights of root.</returns>
    public static PowerCommand? Choose(string? setting, bool isMac, bool isRoot)
    {
        if (setting is null)
        {
            return isMac && isRoot ? new PowerCommand(Powermetrics, Options) : null;
        }

        var words = setting.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words is [Off] ? null : new PowerCommand(words[0], [.. words[1..], .. Options]);
    }

    /// <returns>What is wrong with the setting's value; <see langword="null"/> when nothing is.</returns>
    public static string? Problem(string? setting) => setting?.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
    {
        null or [Off] => null,
        [var path, ..] when System.IO.Path.IsPathFullyQualified(path) => null,
        _ => $"Node:PowerCommand is '{setting}': it must be '{Off}', or a program in full with the arguments that come first, for example '/usr/bin/sudo -n {Powermetrics}'.",
    };

    public override string ToString() => string.Join(' ', [Path, .. Arguments]);
}
