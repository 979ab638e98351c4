using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>Runs all choices of one request side by side and merges their events.</summary>
internal sealed class MlxGeneration(ServerRequest request, AnswerServices services)
{
    private const int BufferedEvents = 64;

    private readonly AnswerRun[] _runs = [.. request.Bodies.Select(body => new AnswerRun(request, body, services))];

    /// <exception cref="GenerationException">The server refused the request.</exception>
    /// <exception cref="HttpRequestException">The server is gone.</exception>
    /// <exception cref="IOException">The server went away, or an answer was cut.</exception>
    public async IAsyncEnumerable<GenerationEvent> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_runs is [var only])
        {
            await foreach (var happening in only.RunAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return happening;
            }
        }
        else
        {
            await foreach (var happening in MergeAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return happening;
            }
        }

        yield return Finish();
    }

    private async IAsyncEnumerable<GenerationEvent> MergeAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var events = Channel.CreateBounded<GenerationEvent>(new BoundedChannelOptions(BufferedEvents) { SingleReader = true });
        var all = Task.WhenAll(_runs.Select(run => PumpAsync(run, events.Writer, ending)));
        var closing = CloseAsync(all, events.Writer);
        try
        {
            await foreach (var happening in events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return happening;
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await closing.ConfigureAwait(false);
        }
    }

    /// <summary>One choice that fails ends the others: the client's answer can't be complete any more.</summary>
    private static async Task PumpAsync(AnswerRun run, ChannelWriter<GenerationEvent> events, CancellationTokenSource ending)
    {
        try
        {
            await foreach (var happening in run.RunAsync(ending.Token).ConfigureAwait(false))
            {
                await events.WriteAsync(happening, ending.Token).ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            events.TryComplete(error);
            await ending.CancelAsync().ConfigureAwait(false);
        }
    }

    private static async Task CloseAsync(Task all, ChannelWriter<GenerationEvent> events)
    {
        await all.ConfigureAwait(false);
        events.TryComplete();
    }

    private GenerationEvent.Finished Finish()
    {
        var first = _runs.MinBy(run => run.TimeToFirstToken)!;
        return new GenerationEvent.Finished(
            _runs[^1].FinishReason!,
            _runs.Where(run => run.Body.CountsPrompt).Sum(run => run.Usage?.PromptTokens ?? 0),
            _runs.Where(run => run.Body.CountsPrompt).Sum(run => run.Usage?.CachedTokens ?? 0),
            _runs.Sum(run => run.Usage?.CompletionTokens ?? 0),
            first.TimeToFirstToken,
            first.Queue,
            first.Prefill,
            _runs.Max(run => run.Decode));
    }
}
