using ClusterLlm.Coordinator.Calibration;
using ClusterLlm.Coordinator.Comparisons;
using ClusterLlm.Coordinator.Comparisons.Commands;
using ClusterLlm.Coordinator.Data;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Nodes.Adding;
using ClusterLlm.Coordinator.Nodes.Adding.Commands;
using ClusterLlm.Coordinator.OpenApi;
using ClusterLlm.Coordinator.Planning;
using ClusterLlm.Coordinator.Security;
using ClusterLlm.Coordinator.Telemetry;
using ClusterLlm.ServiceDefaults;
using Spectre.Console;

if (args is [not ['-', ..], ..] && Console.IsOutputRedirected)
{
    // Of a command: a pipe or a file has no width, and 80 characters would break every table.
    AnsiConsole.Profile.Width = 240;
}

switch (args)
{
    case ["plan", .. var rest]:
        return await PlanCommand.RunAsync(rest);
    case ["token", .. var rest]:
        return await TokenCommand.RunAsync(rest);
    case ["key", .. var rest]:
        return await KeyCommand.RunAsync(rest);
    case ["node", .. var rest]:
        return await NodeCommand.RunAsync(rest);
    case ["compare", .. var rest]:
        return await CompareCommand.RunAsync(rest);
}

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddCluster();
builder.AddData();
builder.AddSecurity();
builder.AddNodes();
builder.AddAdding();
builder.AddModels();
builder.AddDeployments();
builder.AddPlanning();
builder.AddCalibration();
builder.AddComparisons();
builder.AddInference();
builder.AddOpenApiPages();
builder.AddTelemetry();

return await ClusterApplication.RunAsync(() =>
{
    var app = builder.Build();
    app.UseCluster();
    app.MapDefaultEndpoints();
    app.MapSecurity();
    app.MapNodes();
    app.MapAdding();
    app.MapModels();
    app.MapDeployments();
    app.MapPlanning();
    app.MapCalibration();
    app.MapComparisons();
    app.MapInference();
    app.MapOpenApiPages();
    return app;
});
