using System.Collections.Immutable;
using ClusterLlm.Coordinator.Comparisons.Workloads;

namespace ClusterLlm.Coordinator.Comparisons.Load;

/// <summary>Which of OpenAI's surfaces is asked.</summary>
internal enum LoadApi
{
    Completions,
    Chat,
}

/// <summary>Who is asked.</summary>
/// <param name="BaseUrl">The part before <c>/chat/completions</c>, for example <c>http://127.0.0.1:1234/v1/</c>; ends with a slash.</param>
/// <param name="Model">As the endpoint calls it.</param>
/// <param name="IgnoreEnd">Ask for the full length even where the model would stop; engines that don't know the field ignore it.</param>
internal sealed record LoadTarget(Uri BaseUrl, string Model, LoadApi Api, bool IgnoreEnd)
{
    public string? ApiKey { get; init; }
}

/// <summary>What is asked once.</summary>
/// <param name="KeepText">Keep the answer's text: for checks, not under load.</param>
internal sealed record LoadRequest(Prompt Prompt, int OutputTokens, bool KeepText);

/// <summary>When requests are sent.</summary>
internal abstract record LoadShape
{
    private LoadShape()
    {
    }

    /// <summary>Each of so many workers sends its next request when the last one is answered. A slow server gets fewer requests: waiting that users would feel is not seen.</summary>
    internal sealed record Closed(int Workers) : LoadShape;

    /// <summary>
    /// Requests are due at their times whatever the server does, and are timed from then on: time that they wait for the server to take them counts (no coordinated omission).
    /// </summary>
    /// <param name="DueAt">From the start, ascending; one for each request.</param>
    internal sealed record Open(ImmutableArray<TimeSpan> DueAt) : LoadShape
    {
        /// <summary>Independent users: exponential gaps with the given mean rate.</summary>
        public static Open Poisson(int requests, double perSecond, Random random)
        {
            var at = TimeSpan.Zero;
            var due = ImmutableArray.CreateBuilder<TimeSpan>(requests);
            for (var index = 0; index < requests; index++)
            {
                due.Add(at);
                at += TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / perSecond);
            }

            return new Open(due.MoveToImmutable());
        }
    }
}

/// <summary>What came of one request. Times from the start of the run.</summary>
/// <param name="DueAt">When it should be sent; latencies count from here.</param>
/// <param name="SentAt">When it was.</param>
/// <param name="FirstAt">First chunk with text; <see langword="null"/> when none came.</param>
/// <param name="LastAt">Last chunk with text.</param>
/// <param name="GapMilliseconds">Between chunks with text.</param>
/// <param name="PromptTokens">As the endpoint counts; <see langword="null"/> when it does not say.</param>
/// <param name="CompletionTokens">As the endpoint counts, else chunks with text.</param>
/// <param name="Problem">Why it is not answered; <see langword="null"/> when it is.</param>
internal sealed record RequestTiming(
    TimeSpan DueAt,
    TimeSpan SentAt,
    TimeSpan? FirstAt,
    TimeSpan? LastAt,
    ImmutableArray<double> GapMilliseconds,
    int? PromptTokens,
    int CachedTokens,
    int CompletionTokens,
    bool TokensAreCounted,
    string? Text,
    string? Problem)
{
    public bool IsAnswered => Problem is null && FirstAt is not null;

    public TimeSpan TimeToFirstToken => (FirstAt ?? TimeSpan.Zero) - DueAt;

    /// <summary>(tokens − 1) / (last − first): the first one belongs to the prompt. NaN for fewer than two tokens.</summary>
    public double DecodeTokensPerSecond => IsAnswered && CompletionTokens > 1 && LastAt > FirstAt
        ? (CompletionTokens - 1) / (LastAt.Value - FirstAt!.Value).TotalSeconds
        : double.NaN;
}
