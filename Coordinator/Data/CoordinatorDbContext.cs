using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Data;

/// <summary>The Coordinator's state on disk.</summary>
internal sealed class CoordinatorDbContext(DbContextOptions<CoordinatorDbContext> options) : DbContext(options)
{
    public DbSet<DeploymentRow> Deployments => Set<DeploymentRow>();

    public DbSet<PlanFailureRow> PlanFailures => Set<PlanFailureRow>();

    public DbSet<ClusterRow> Cluster => Set<ClusterRow>();

    public DbSet<CalibrationRow> Calibrations => Set<CalibrationRow>();

    public DbSet<LinkRow> Links => Set<LinkRow>();

    public DbSet<SpeedRow> Speeds => Set<SpeedRow>();

    public DbSet<ComparisonRow> Comparisons => Set<ComparisonRow>();

    public DbSet<MeasurementRow> Measurements => Set<MeasurementRow>();

    public DbSet<LinkChoiceRow> LinkChoices => Set<LinkChoiceRow>();

    public DbSet<HostKeyRow> HostKeys => Set<HostKeyRow>();

    public DbSet<JoinTokenRow> JoinTokens => Set<JoinTokenRow>();

    public DbSet<CertificateRow> Certificates => Set<CertificateRow>();

    public DbSet<ApiKeyRow> ApiKeys => Set<ApiKeyRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<DeploymentRow>().HasKey(row => row.Id);
        modelBuilder.Entity<PlanFailureRow>().HasKey(row => row.Fingerprint);
        modelBuilder.Entity<ClusterRow>().HasKey(row => row.ClusterId);
        modelBuilder.Entity<CalibrationRow>().HasKey(row => new { row.NodeId, row.Engine });
        modelBuilder.Entity<SpeedRow>().HasKey(row => row.DeploymentId);
        modelBuilder.Entity<ComparisonRow>().HasKey(row => row.Id);
        modelBuilder.Entity<MeasurementRow>().HasKey(row => row.Id);
        modelBuilder.Entity<JoinTokenRow>().HasKey(row => row.Id);
        modelBuilder.Entity<CertificateRow>().HasKey(row => row.Serial);
        modelBuilder.Entity<CertificateRow>().HasIndex(row => row.KeyHash).IsUnique();
        modelBuilder.Entity<ApiKeyRow>().HasKey(row => row.Id);
        modelBuilder.Entity<LinkRow>().HasKey(row => new { row.FromNodeId, row.ToNodeId });
        modelBuilder.Entity<LinkChoiceRow>().HasKey(row => new { row.FromNodeId, row.ToNodeId });
        modelBuilder.Entity<HostKeyRow>().HasKey(row => new { row.Host, row.Port });
    }
}
