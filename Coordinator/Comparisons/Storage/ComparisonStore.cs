using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using ClusterLlm.Coordinator.Data;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Comparisons.Storage;

/// <summary>Comparisons on disk: whole records as JSON, read and written whole.</summary>
internal sealed partial class ComparisonStore(IDbContextFactory<CoordinatorDbContext> contexts, ILogger<ComparisonStore> logger)
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>All that can be read; a row that can't is logged and left alone.</summary>
    public async Task<ImmutableArray<ComparisonRecord>> LoadAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await context.Comparisons.AsNoTracking().ToListAsync(cancellationToken);
        return [.. rows.Select(Read).OfType<ComparisonRecord>()];
    }

    public async Task SaveAsync(ComparisonRecord record, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var row = new ComparisonRow
        {
            Id = record.Id,
            CreatedAtUnixMs = record.CreatedAt.ToUnixTimeMilliseconds(),
            Model = record.Spec.Model,
            State = record.State.ToString(),
            Record = JsonSerializer.Serialize(record, Json),
        };
        if (await context.Comparisons.FindAsync([record.Id], cancellationToken) is { } known)
        {
            context.Entry(known).CurrentValues.SetValues(row);
        }
        else
        {
            context.Comparisons.Add(row);
        }

        await context.SaveChangesAsync(cancellationToken);
    }

    public async Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.Comparisons.Where(row => row.Id == id).ExecuteDeleteAsync(cancellationToken);
    }

    private ComparisonRecord? Read(ComparisonRow row)
    {
        try
        {
            return JsonSerializer.Deserialize<ComparisonRecord>(row.Record, Json);
        }
        catch (JsonException e)
        {
            LogUnreadable(row.Id, e.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Comparison {Id} can't be read from the database and is left out: {Reason}")]
    private partial void LogUnreadable(string id, string reason);
}
