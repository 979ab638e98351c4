using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ClusterLlm.ServiceDefaults;

/// <summary>Paths of the probes, and their answer.</summary>
internal static class HealthEndpoints
{
    public const string ReadyPath = "/health";
    public const string AlivePath = "/alive";
    public const string LiveTag = "live";

    /// <summary>Whether <paramref name="path"/> is one of the probes, over HTTP or gRPC.</summary>
    public static bool IsProbe(PathString path) =>
        path.StartsWithSegments(ReadyPath) || path.StartsWithSegments(AlivePath) || path.StartsWithSegments("/grpc.health.v1.Health");

    /// <summary>Writes <c>{"status", "durationMs", "checks": {name: {"status", "description", "data"}}}</c>; exceptions stay in the log.</summary>
    public static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.Body.WriteAsync(Write(report), context.RequestAborted).AsTask();
    }

    internal static ReadOnlyMemory<byte> Write(HealthReport report)
    {
        var buffer = new MemoryStream();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("status", report.Status.ToString());
        json.WriteNumber("durationMs", Math.Round(report.TotalDuration.TotalMilliseconds, 3));
        json.WriteStartObject("checks");
        foreach (var (name, entry) in report.Entries)
        {
            WriteEntry(json, name, entry);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.ToArray();
    }

    private static void WriteEntry(Utf8JsonWriter json, string name, HealthReportEntry entry)
    {
        json.WriteStartObject(name);
        json.WriteString("status", entry.Status.ToString());
        if (entry.Description is { } description)
        {
            json.WriteString("description", description);
        }

        if (entry.Data.Count > 0)
        {
            json.WriteStartObject("data");
            foreach (var (key, value) in entry.Data)
            {
                json.WriteString(key, Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture));
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
