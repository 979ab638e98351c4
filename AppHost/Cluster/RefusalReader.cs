using System.Collections.Immutable;
using System.Text.Json;

namespace ClusterLlm.AppHost.Cluster;

/// <summary>Reads why the cluster said no: problem details of <c>/api</c> and OpenAI's error object of <c>/v1</c>. Pure.</summary>
internal static class RefusalReader
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <param name="status">HTTP status.</param>
    /// <param name="text">The body; what is not JSON is shown as it is.</param>
    public static ClusterRefusedException Read(int status, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var problem = document.RootElement;
            var rejections = Part<ImmutableArray<RejectionView>>(problem, "rejections");
            rejections = rejections.IsDefault ? [] : rejections;
            var message = string.Join(' ', rejections.Select(rejection => rejection.Message).Prepend(Detail(problem) ?? text).Distinct());
            return new(message)
            {
                FieldErrors = (Part<Dictionary<string, string[]>>(problem, "errors") ?? [])
                    .ToImmutableSortedDictionary(entry => entry.Key, entry => string.Join(' ', entry.Value)),
                Rejections = rejections,
            };
        }
        catch (JsonException)
        {
            return new($"{status} {text}".Trim());
        }
    }

    private static string? Detail(JsonElement problem)
    {
        if (problem.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        return problem.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message)
            ? message.GetString()
            : problem.TryGetProperty("detail", out var detail) ? detail.GetString() : null;
    }

    private static T? Part<T>(JsonElement problem, string name) =>
        problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty(name, out var part) && part.ValueKind != JsonValueKind.Null
            ? part.Deserialize<T>(Json)
            : default;
}
