using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Data;

/// <summary>The Coordinator's state on disk.</summary>
internal sealed class CoordinatorDbContext(DbContextOptions<CoordinatorDbContext> options) : DbContext(options)
{
    public DbSet<DeploymentRow> Deployments => Set<DeploymentRow>();

    public DbSet<ClusterRow> Cluster => Set<ClusterRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<DeploymentRow>().HasKey(row => row.Id);
        modelBuilder.Entity<ClusterRow>().HasKey(row => row.ClusterId);
    }
}
