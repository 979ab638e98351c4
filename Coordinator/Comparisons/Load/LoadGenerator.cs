using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Comparisons.Load;

/// <summary>Sends requests to an OpenAI endpoint and times what comes back. Failures are results, never exceptions, but for cancellation.</summary>
/// <param name="http">Without a total time limit of its own, and with room for as many connections as requests run at once.</param>
internal sealed class LoadGenerator(HttpClient http, TimeProvider time)
{
    public async Task<ImmutableArray<RequestTiming>> RunAsync(
        LoadTarget target, IReadOnlyList<LoadRequest> requests, LoadShape shape, CancellationToken cancellationToken)
    {
        // Made before the clock starts: writing long prompts is not part of what is measured.
        var bodies = requests.Select(request => LoadBody.Of(target, request)).ToArray();
        var call = new TimedCall(http, target, time, time.GetTimestamp());
        var timings = new RequestTiming[requests.Count];
        await (shape switch
        {
            LoadShape.Closed closed => ClosedAsync(closed.Workers),
            LoadShape.Open open => OpenAsync(open.DueAt),
            _ => throw new ArgumentException($"There is no way to send {shape.GetType().Name}.", nameof(shape)),
        });
        return [.. timings];

        Task ClosedAsync(int workers)
        {
            var next = -1;
            return Task.WhenAll(Enumerable.Range(0, Math.Min(workers, requests.Count)).Select(async _ =>
            {
                int index;
                while ((index = Interlocked.Increment(ref next)) < requests.Count)
                {
                    timings[index] = await call.RunAsync(bodies[index], requests[index].KeepText, dueAt: null, cancellationToken);
                }
            }));
        }

        Task OpenAsync(ImmutableArray<TimeSpan> dueAt) => Task.WhenAll(requests.Select(async (request, index) =>
        {
            var wait = dueAt[index] - call.Elapsed;
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, time, cancellationToken);
            }

            timings[index] = await call.RunAsync(bodies[index], request.KeepText, dueAt[index], cancellationToken);
        }));
    }
}
