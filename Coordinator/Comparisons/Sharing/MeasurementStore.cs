using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using ClusterLlm.Coordinator.Calibration;
using ClusterLlm.Coordinator.Comparisons.Storage;
using ClusterLlm.Coordinator.Data;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Comparisons.Sharing;

/// <summary>What an import did.</summary>
/// <param name="Known">Rows that were there already.</param>
/// <param name="Calibrations">Kinds of machine that the planner now has measured constants for.</param>
internal sealed record ImportOutcome(int Imported, int Known, ImmutableArray<RejectedLine> Rejected, ImmutableArray<ImportedCalibration> Calibrations);

/// <summary>Measurements of others, on disk; the planner uses them for nodes that have not measured themselves.</summary>
internal sealed class MeasurementStore(IDbContextFactory<CoordinatorDbContext> contexts, CalibrationRegistry calibrations, TimeProvider time)
{
    public async Task<ImportOutcome> ImportAsync(string lines, CancellationToken cancellationToken)
    {
        var (rows, rejected) = MeasurementReader.Read(lines);
        var added = await AddAsync(rows, cancellationToken);
        var imported = ImportedCalibrations.Of(await AllAsync(cancellationToken));
        foreach (var one in imported)
        {
            await calibrations.SaveAsync(one.Key, one.Calibration, cancellationToken);
        }

        return new ImportOutcome(added, rows.Length - added, rejected, imported);
    }

    public async Task<ImmutableArray<SharedMeasurement>> AllAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await context.Measurements.AsNoTracking().OrderBy(row => row.Id).ToListAsync(cancellationToken);
        return [.. rows.Select(row => JsonSerializer.Deserialize<SharedMeasurement>(row.Measurement, ComparisonStore.Json)!)];
    }

    private async Task<int> AddAsync(ImmutableArray<SharedMeasurement> rows, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var known = (await context.Measurements.Select(row => row.Id).ToListAsync(cancellationToken)).ToHashSet(StringComparer.Ordinal);
        var added = 0;
        foreach (var row in rows)
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(row, ComparisonStore.Json);
            var id = Convert.ToHexStringLower(SHA256.HashData(json))[..32];
            if (known.Add(id))
            {
                context.Measurements.Add(new MeasurementRow
                {
                    Id = id,
                    Chip = row.Chip,
                    Engine = row.Engine,
                    Source = row.Source,
                    Measurement = System.Text.Encoding.UTF8.GetString(json),
                    ImportedAtUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
                });
                added++;
            }
        }

        await context.SaveChangesAsync(cancellationToken);
        return added;
    }
}
