using ClusterLlm.NodeAgent.Engines.Builtin;
using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.NodeAgent.Hardware;
using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Joining;
using ClusterLlm.NodeAgent.Rpc;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Shards;
using ClusterLlm.NodeAgent.Telemetry;
using ClusterLlm.ServiceDefaults;

if (EnvironmentCommand.IsMeant(args))
{
    return await EnvironmentCommand.RunAsync();
}

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddNodeSettings();
builder.AddAgentHosting();
builder.AddHardware();
builder.AddBuiltinEngine();
builder.AddMlxEngine();
builder.AddShards();
builder.AddNodeTelemetry();
builder.AddAgentRpc();
builder.AddJoining();

return await ClusterApplication.RunAsync(() =>
{
    var app = builder.Build();
    app.UsePeerGate();
    app.MapDefaultEndpoints();
    app.MapAgentRpc();
    app.MapBuiltinEngine();
    app.MapMlxEngine();
    return app;
});
