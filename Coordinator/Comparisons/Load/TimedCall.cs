using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;

namespace ClusterLlm.Coordinator.Comparisons.Load;

/// <summary>One request and the timing of its answer.</summary>
/// <param name="startedAt">Time stamp of the run's start.</param>
internal sealed class TimedCall(HttpClient http, LoadTarget target, TimeProvider time, long startedAt)
{
    /// <summary>An endpoint that never ends its answer must not fill the memory.</summary>
    private const long MostAnswerBytes = 64L << 20;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    public TimeSpan Elapsed => time.GetElapsedTime(startedAt);

    /// <param name="dueAt">When it should have been sent; <see langword="null"/> means now.</param>
    public async Task<RequestTiming> RunAsync(byte[] body, bool keepText, TimeSpan? dueAt, CancellationToken cancellationToken)
    {
        var sentAt = Elapsed;
        var reading = new AnswerReading(keepText);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            await SendAsync(body, reading, limit.Token);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or InvalidDataException)
        {
            reading.Problem = $"the connection failed: {failure.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            reading.Problem = $"it was not answered within {Limit.TotalMinutes:0} minutes";
        }

        return reading.ToTiming(dueAt ?? sentAt, sentAt);
    }

    private async Task SendAsync(byte[] body, AnswerReading reading, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(target.BaseUrl, target.Api == LoadApi.Chat ? "chat/completions" : "completions"))
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        if (target.ApiKey is { } key)
        {
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var stream = new LimitedStream(await response.Content.ReadAsStreamAsync(cancellationToken), MostAnswerBytes);
        var kind = response.Content.Headers.ContentType?.MediaType ?? "nothing";
        if (!response.IsSuccessStatusCode || kind != "text/event-stream")
        {
            reading.Problem = $"the endpoint answered {(int)response.StatusCode} with {kind}: {await BeginningAsync(stream, cancellationToken)}";
            return;
        }

        await foreach (var item in SseParser.Create(stream, static (_, data) => AnswerChunk.Read(data)).EnumerateAsync(cancellationToken))
        {
            if (reading.Add(item.Data, Elapsed))
            {
                return;
            }
        }

        reading.Problem ??= "the answer ended without its end mark";
    }

    private static async Task<string> BeginningAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return AnswerChunk.Said(buffer.AsSpan(0, length));
    }

    /// <summary>What came so far; one owner, no locks.</summary>
    private sealed class AnswerReading(bool keepText)
    {
        private readonly ImmutableArray<double>.Builder _gaps = ImmutableArray.CreateBuilder<double>();
        private readonly StringBuilder? _text = keepText ? new StringBuilder() : null;
        private TimeSpan? _firstAt;
        private TimeSpan? _lastAt;
        private int _chunks;
        private int? _promptTokens;
        private int? _cachedTokens;
        private int? _completionTokens;

        public string? Problem { get; set; }

        /// <returns>True at the end of the answer.</returns>
        public bool Add(AnswerChunk chunk, TimeSpan now)
        {
            Problem ??= chunk.Problem;
            _promptTokens = chunk.PromptTokens ?? _promptTokens;
            _cachedTokens = chunk.CachedTokens ?? _cachedTokens;
            _completionTokens = chunk.CompletionTokens ?? _completionTokens;
            if (chunk.Text.Length > 0)
            {
                if (_lastAt is { } before)
                {
                    _gaps.Add((now - before).TotalMilliseconds);
                }

                _firstAt ??= now;
                _lastAt = now;
                _chunks++;
                _text?.Append(chunk.Text);
            }

            return chunk.IsEnd;
        }

        public RequestTiming ToTiming(TimeSpan dueAt, TimeSpan sentAt) => new(
            dueAt,
            sentAt,
            _firstAt,
            _lastAt,
            _gaps.DrainToImmutable(),
            _promptTokens,
            _cachedTokens ?? 0,
            _completionTokens ?? _chunks,
            _completionTokens is not null,
            _text?.ToString(),
            Problem ?? (_firstAt is null ? "the answer has no text" : null));
    }
}
