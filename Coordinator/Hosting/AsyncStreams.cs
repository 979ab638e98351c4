using System.Runtime.CompilerServices;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>How streams to clients end.</summary>
internal static class AsyncStreams
{
    /// <summary>The same items; a cancelled <paramref name="end"/> ends the stream quietly instead of by an exception.</summary>
    public static async IAsyncEnumerable<T> EndingWith<T>(this IAsyncEnumerable<T> source, [EnumeratorCancellation] CancellationToken end)
    {
        await using var items = source.GetAsyncEnumerator(end);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                yield break;
            }

            yield return items.Current;
        }
    }
}
