namespace ClusterLlm.Coordinator.Inference;

/// <summary>Whether a request can be sent to an agent now.</summary>
internal static class RequestRouter
{
    /// <summary>Longer waits make one SDK hang and others give up (ClientSamples/README.md of the tests): better to be asked again.</summary>
    private const int LongestRetryAfterSeconds = 30;

    private const int UsualRetryAfterSeconds = 2;

    /// <summary>The reason why <paramref name="route"/> can't be used, or <see langword="null"/> when it can.</summary>
    /// <param name="model">What the client asked for.</param>
    /// <param name="names">All names that would do, for the error.</param>
    public static ApiError? Refuse(string model, InferenceRoute? route, IReadOnlyList<string> names, DateTimeOffset now)
    {
        if (route is null)
        {
            return new(StatusCodes.Status404NotFound, UnknownModel(model, names), ApiError.InvalidRequest, "model", "model_not_found");
        }

        if (route is { Ready: true, RankZeroNodeId: not null })
        {
            return null;
        }

        var reason = route.Reason is { Length: > 0 } text ? $": {text}" : "";
        if (route.Phase.Equals("failed", StringComparison.OrdinalIgnoreCase))
        {
            // No Retry-After: it will not get better by itself.
            return ApiError.Unavailable($"The model '{route.Name}' has failed{reason}", "model_failed", null);
        }

        var share = route.LoadedShare is > 0 and < 1 ? $" ({route.LoadedShare:P0} loaded)" : "";
        return ApiError.Unavailable(
            $"The model '{route.Name}' can't answer yet: it is {route.Phase.ToLowerInvariant()}{share}{reason}.",
            "model_not_ready",
            RetryAfterSeconds(route.LoadedShare, now - route.CreatedAt));
    }

    /// <summary>Whole seconds until loading should be over, from how long the loaded share took.</summary>
    /// <param name="loadedShare">0 to 1.</param>
    /// <returns>1 to 30; 2 where nothing can be said.</returns>
    internal static int RetryAfterSeconds(double loadedShare, TimeSpan elapsed)
    {
        if (!(loadedShare is > 0 and < 1) || elapsed <= TimeSpan.Zero)
        {
            return UsualRetryAfterSeconds;
        }

        var left = elapsed.TotalSeconds * (1 - loadedShare) / loadedShare;
        return (int)Math.Clamp(Math.Ceiling(left), 1, LongestRetryAfterSeconds);
    }

    private static string UnknownModel(string model, IReadOnlyList<string> names) => names.Count == 0
        ? $"The model '{model}' does not exist: nothing is deployed. Launch one with POST /api/deployments."
        : $"The model '{model}' does not exist. Available: {string.Join(", ", names.Order(StringComparer.Ordinal))}.";
}
