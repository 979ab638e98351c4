using ClusterLlm.ServiceDefaults;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace ClusterLlm.Coordinator.Data;

/// <summary>SQLite through EF Core.</summary>
internal static class DataExtensions
{
    /// <summary>Must come before the features that read their state at start.</summary>
    public static void AddData(this IHostApplicationBuilder builder)
    {
        builder.Services.AddDbContextFactory<CoordinatorDbContext>((services, options) =>
        {
            var connection = new SqliteConnectionStringBuilder
            {
                DataSource = CoordinatorDatabase.PathIn(services.GetRequiredService<ClusterHome>()),
                Pooling = true,
            };
            options.UseSqlite(connection.ConnectionString);
        });
        builder.Services.AddHostedService<DatabaseStart>();
    }
}
