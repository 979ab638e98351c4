using ClusterLlm.Coordinator.Calibration;
using ClusterLlm.Coordinator.Data;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.Coordinator.Inference;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.OpenApi;
using ClusterLlm.Coordinator.Planning;
using ClusterLlm.Coordinator.Telemetry;
using ClusterLlm.ServiceDefaults;

if (args is ["plan", .. var planArguments])
{
    return await PlanCommand.RunAsync(planArguments);
}

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddCluster();
builder.AddData();
builder.AddNodes();
builder.AddModels();
builder.AddDeployments();
builder.AddPlanning();
builder.AddCalibration();
builder.AddInference();
builder.AddOpenApiPages();
builder.AddTelemetry();

return await ClusterApplication.RunAsync(() =>
{
    var app = builder.Build();
    app.UseCluster();
    app.MapDefaultEndpoints();
    app.MapNodes();
    app.MapModels();
    app.MapDeployments();
    app.MapPlanning();
    app.MapCalibration();
    app.MapInference();
    app.MapOpenApiPages();
    return app;
});
