using Microsoft.AspNetCore.Http.HttpResults;

namespace ClusterLlm.Coordinator.Hosting;

/// <summary>Reads small JSON bodies.</summary>
internal static class RequestBody
{
    /// <summary>A manual plan for a thousand nodes fits many times.</summary>
    public const int MostBytes = 256 * 1024;

    /// <returns>The whole body, or <see langword="null"/> when it is longer than <see cref="MostBytes"/>.</returns>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > MostBytes)
        {
            return null;
        }

        var buffer = new byte[MostBytes + 1];
        var length = 0;
        int read;
        while (length < buffer.Length && (read = await request.Body.ReadAsync(buffer.AsMemory(length), cancellationToken)) > 0)
        {
            length += read;
        }

        return length > MostBytes ? null : buffer.AsMemory(0, length);
    }

    public static ProblemHttpResult TooLarge() => TypedResults.Problem(
        $"The body is longer than {MostBytes} bytes.", statusCode: StatusCodes.Status413PayloadTooLarge, title: "Body too large");
}
