using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using ClusterLlm.Coordinator.Data;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Deployments;

/// <summary>Deployments on disk.</summary>
internal sealed partial class DeploymentStore(IDbContextFactory<CoordinatorDbContext> contexts, ILogger<DeploymentStore> logger)
{
    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };

    /// <summary>All that can be read; a row that can't is logged and left alone.</summary>
    public async Task<ImmutableArray<Deployment>> LoadAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await context.Deployments.AsNoTracking().ToListAsync(cancellationToken);
        return [.. rows.Select(Read).OfType<Deployment>()];
    }

    public async Task SaveAsync(Deployment deployment, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var row = Write(deployment);
        if (await context.Deployments.FindAsync([deployment.Id], cancellationToken) is { } known)
        {
            context.Entry(known).CurrentValues.SetValues(row);
        }
        else
        {
            context.Deployments.Add(row);
        }

        await context.SaveChangesAsync(cancellationToken);
    }

    public async Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await context.Deployments.Where(row => row.Id == id).ExecuteDeleteAsync(cancellationToken);
    }

    private static DeploymentRow Write(Deployment deployment) => new()
    {
        Id = deployment.Id,
        Name = deployment.Name,
        Spec = JsonSerializer.Serialize(deployment.Spec, Json),
        Plan = deployment.Plan is null ? null : JsonSerializer.Serialize(deployment.Plan, Json),
        CreatedAtUnixMs = deployment.CreatedAt.ToUnixTimeMilliseconds(),
        Wanted = deployment.Wanted,
        Generation = deployment.Generation,
        State = deployment.State.ToString(),
        StateSinceUnixMs = deployment.StateSince.ToUnixTimeMilliseconds(),
        Reason = deployment.Reason,
        Failures = deployment.Failures,
    };

    private Deployment? Read(DeploymentRow row)
    {
        try
        {
            return new Deployment(
                row.Id,
                JsonSerializer.Deserialize<DeploymentSpec>(row.Spec, Json) ?? throw new JsonException("The spec is null."),
                DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAtUnixMs),
                row.Wanted,
                row.Generation,
                Enum.Parse<DeploymentState>(row.State),
                DateTimeOffset.FromUnixTimeMilliseconds(row.StateSinceUnixMs),
                row.Reason,
                row.Plan is null ? null : JsonSerializer.Deserialize<DeploymentPlan>(row.Plan, Json),
                row.Failures,
                RetryAt: null,
                BlockedBy: null);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NotSupportedException)
        {
            LogUnreadable(row.Id, row.Name, e.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Deployment {Id} ({Name}) can't be read from the database and is left out: {Reason}")]
    private partial void LogUnreadable(string id, string name, string reason);
}
