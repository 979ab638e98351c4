using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Processes;

/// <summary>
/// A line of a rank's standard output, for example
/// <c>{"event":"layer","rank":1,"layer":3,"done":1048576,"total":4194304}</c>, <c>{"event":"ready","rank":0,"active":1253136,"batchable":true}</c>,
/// <c>{"event":"beat","rank":0,"active":1253136,"peak":1253136,"cache":0,"tokens_per_second":5.8,"stage_step_ms":4.1,"last_progress_ms":28}</c>,
/// <c>{"event":"stage","rank":1,"trace":"00-…-01","steps":15,"compute_ms":61.5,"duration_ms":312.8}</c> or
/// <c>{"event":"fatal","code":70,"reason":"…","rank":1}</c>. What an event does not have is 0 or null.
/// </summary>
/// <param name="Done">Bytes loaded so far.</param>
/// <param name="Total">Bytes that this rank loads.</param>
/// <param name="Active">Bytes in use by MLX.</param>
/// <param name="Cache">Freed bytes that MLX keeps.</param>
/// <param name="Port">Where rank 0 listens for HTTP.</param>
/// <param name="Trace">A traced request that is over, as its <c>traceparent</c>.</param>
/// <param name="Steps">Decode steps of this stage while that request ran.</param>
/// <param name="ComputeMs">What they computed, all together.</param>
/// <param name="DurationMs">From the request's arrival at this stage to its end.</param>
internal sealed record RankEvent(
    string Event,
    int Layer,
    long Done,
    long Total,
    long Active,
    long Peak,
    long Cache,
    double TokensPerSecond,
    double StageStepMs,
    double LastProgressMs,
    int Port,
    int Code,
    string? Reason,
    string? Trace,
    int Steps,
    double ComputeMs,
    double DurationMs)
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowReadingFromString,
    };

    /// <summary>The event, or null for a line that is none.</summary>
    public static RankEvent? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<RankEvent>(line, Options) is { Event: not null } happening ? happening : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
