using ClusterLlm.Coordinator.Comparisons.Running;
using ClusterLlm.Coordinator.Comparisons.Sharing;
using ClusterLlm.Coordinator.Comparisons.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ClusterLlm.Coordinator.Comparisons;

/// <summary>Is the cluster faster than one of its nodes: runs, verdicts, reports.</summary>
internal static class ComparisonsExtensions
{
    public static void AddComparisons(this IHostApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton<ISelfEndpoint, SelfEndpoint>();
        builder.Services.AddSingleton<ComparisonStore>();
        builder.Services.AddSingleton<ComparisonRegistry>();
        builder.Services.AddSingleton<MeasurementStore>();
        builder.Services.AddSingleton<ComparisonInputs>();
        builder.Services.AddSingleton<CandidateDeployments>();
        builder.Services.AddSingleton<CandidateVisit>();
        builder.Services.AddSingleton<CandidateScout>();
        builder.Services.AddSingleton<ComparisonRunner>();
        builder.Services.AddSingleton<ComparisonWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ComparisonWorker>());
    }

    public static void MapComparisons(this IEndpointRouteBuilder routes) => routes.MapComparisonEndpoints();
}
