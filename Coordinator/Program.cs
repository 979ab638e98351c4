using ClusterLlm.Coordinator.Cluster;
using ClusterLlm.Coordinator.Data;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Telemetry;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddCluster(args);
builder.AddData();
builder.AddNodes();
builder.AddModels();
builder.AddDeployments();
builder.AddTelemetry();

var app = builder.Build();
app.UseCluster();
app.MapNodes();
app.MapModels();
app.MapDeployments();
return await app.RunToExitCodeAsync();
