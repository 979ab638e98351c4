using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace ClusterLlm.Coordinator.Data;

/// <summary>For <c>dotnet ef migrations add</c> only: needs the model, no database.</summary>
internal sealed class DesignTimeDbContextFactory : IDesignTimeDbContextFactory<CoordinatorDbContext>
{
    public CoordinatorDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<CoordinatorDbContext>().UseSqlite("Data Source=:memory:").Options);
}
