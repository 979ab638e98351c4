using System.Globalization;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Processes;

/// <summary>Why a rank's process is gone, in words.</summary>
internal static class RankExit
{
    /// <summary>A neighbour's connection closed, or Python raised.</summary>
    public const int PeerOrException = 70;

    /// <summary>No progress for the stall limit.</summary>
    public const int Stalled = 71;

    /// <summary>The agent closed its end.</summary>
    public const int ParentGone = 72;

    private const int Signalled = 128;

    /// <summary>What MLX's ring says when the connection to a neighbour closes.</summary>
    private const string PeerLost = "connection to a peer was lost";

    /// <summary>Some sentences: what ended, why, what to do if that is known, and the last lines of its log.</summary>
    /// <param name="code">As .NET gives it: 128 + n for signal n.</param>
    /// <param name="reason">Of the rank's own last word; null when it had none.</param>
    public static string Describe(int rank, int code, string? reason, string lastLines)
    {
        var what = string.Create(CultureInfo.InvariantCulture, $"Rank {rank} {Cause(code, reason)}{RankAdvice.For($"{reason} {lastLines}")}");
        return lastLines.Length == 0 ? what : $"{what} Its last lines: {lastLines}";
    }

    private static string Cause(int code, string? reason) => (code, reason) switch
    {
        (PeerOrException, { } lost) when lost.Contains(PeerLost, StringComparison.Ordinal) => "lost the connection to a neighbour: another rank or its link ended first.",
        (PeerOrException, { } error) => $"failed: {error.TrimEnd('.')}.",
        (Stalled, { } stall) => $"was ended by its watchdog: {stall}.",
        (Signalled + 9, _) => "was killed (SIGKILL): by hand, or by the system because memory ran out.",
        (Signalled + 11, _) => "crashed (SIGSEGV).",
        (Signalled + 6, _) => "aborted (SIGABRT).",
        ( > Signalled and < Signalled + 65, _) => string.Create(CultureInfo.InvariantCulture, $"was ended by signal {code - Signalled}."),
        _ => string.Create(CultureInfo.InvariantCulture, $"ended with exit code {code}."),
    };
}
