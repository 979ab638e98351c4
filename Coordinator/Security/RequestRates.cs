using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Security;

/// <summary>How many requests a caller on another machine may send; this machine's own are not counted.</summary>
internal static class RequestRates
{
    // A page with many parts, or a batch that starts at once, is no flood.
    private const int BurstSeconds = 4;

    public static void AddRequestRates(this IServiceCollection services)
    {
        services.AddRateLimiter(_ => { });
        services.AddOptions<RateLimiterOptions>().Configure<IOptions<SecurityOptions>>((limiter, security) =>
        {
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => Partition(context, security.Value.RequestsPerSecond));
            limiter.OnRejected = (context, _) => new ValueTask(ApiRefusals.WriteAsync(
                context.HttpContext,
                StatusCodes.Status429TooManyRequests,
                $"More than {security.Value.RequestsPerSecond} requests a second came from {context.HttpContext.Connection.RemoteIpAddress} (Security:RequestsPerSecond).",
                "rate_limited",
                TimeSpan.FromSeconds(1)));
        });
    }

    private static RateLimitPartition<string> Partition(HttpContext context, int perSecond)
    {
        var address = context.Connection.RemoteIpAddress;
        return perSecond == 0 || address is null || IPAddress.IsLoopback(address)
            ? RateLimitPartition.GetNoLimiter("")
            : RateLimitPartition.GetTokenBucketLimiter(address.ToString(), _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = perSecond * BurstSeconds,
                TokensPerPeriod = perSecond,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                QueueLimit = 0,
            });
    }
}
