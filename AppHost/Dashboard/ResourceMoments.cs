using ClusterLlm.AppHost.Dashboard.Contract;
using Google.Protobuf.WellKnownTypes;

namespace ClusterLlm.AppHost.Dashboard;

/// <summary>Moments that a row shows but its sources do not tell: taken at a change and then kept, so that a row that is otherwise the same stays equal. Pure.</summary>
internal static class ResourceMoments
{
    /// <param name="earlier">The row as it was shown; null when it is new.</param>
    /// <returns><paramref name="row"/>, completed.</returns>
    public static Resource Keep(Resource row, Resource? earlier, DateTimeOffset now)
    {
        foreach (var report in row.HealthReports)
        {
            var before = earlier?.HealthReports.FirstOrDefault(other => other.Key == report.Key && other.Status == report.Status);
            report.LastRunAt = before?.LastRunAt ?? Timestamp.FromDateTimeOffset(now);
        }

        if (row.State is "Exited" or "FailedToStart")
        {
            row.StoppedAt = earlier?.State == row.State ? earlier.StoppedAt : Timestamp.FromDateTimeOffset(now);
        }

        return row;
    }
}
