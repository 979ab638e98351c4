using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Data;

/// <summary>The Coordinator's state on disk.</summary>
internal sealed class CoordinatorDbContext(DbContextOptions<CoordinatorDbContext> options) : DbContext(options)
{
    public DbSet<DeploymentRow> Deployments => Set<DeploymentRow>();

    public DbSet<ClusterRow> Cluster => Set<ClusterRow>();

    public DbSet<CalibrationRow> Calibrations => Set<CalibrationRow>();

    public DbSet<LinkRow> Links => Set<LinkRow>();

    public DbSet<SpeedRow> Speeds => Set<SpeedRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<DeploymentRow>().HasKey(row => row.Id);
        modelBuilder.Entity<ClusterRow>().HasKey(row => row.ClusterId);
        modelBuilder.Entity<CalibrationRow>().HasKey(row => new { row.NodeId, row.Engine });
        modelBuilder.Entity<SpeedRow>().HasKey(row => row.DeploymentId);
        modelBuilder.Entity<LinkRow>().HasKey(row => new { row.FromNodeId, row.ToNodeId });
    }
}
