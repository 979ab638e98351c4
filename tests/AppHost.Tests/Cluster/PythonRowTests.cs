using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.AppHost.Tests.Cluster;

public sealed class PythonRowTests
{
    private static readonly PythonEnvironment Environment = new("mlx-python", "/home/mlx", ["node-1", "node-2"]);

    [Fact]
    public void From_OneAgentHasIt_IsReadyWithItsVersion()
    {
        var row = From(new("mlx", "", Available: false, "The Python environment of MLX is being prepared; ask again in a minute."), new("mlx", "mlx 0.32.4, mlx-lm 0.32.2", Available: true, ""));

        Assert.Equal(("mlx-python", "Ready", LiveStateStyle.Success), (row!.Name, row.State, row.Style));
        Assert.Equal(["/home/mlx", "mlx 0.32.4, mlx-lm 0.32.2"], row.Properties.Select(property => property.Value));
    }

    [Theory]
    [InlineData("The Python environment of MLX is being prepared; ask again in a minute.", "Preparing", "Info")]
    [InlineData("Neither uv nor python3 is on the PATH: install one of them, or set Engines:Mlx:Python.", "Missing", "Warning")]
    public void From_NotAvailable_SaysWhy(string reason, string state, string style)
    {
        var row = From(new EngineView("mlx", "", Available: false, reason));

        Assert.Equal((state, style), (row!.State, row.Style.ToString()));
        Assert.Equal(["/home/mlx", reason], row.Properties.Select(property => property.Value));
    }

    [Fact]
    public void From_NoAgentHasSaidAnything_IsNoRow()
    {
        Assert.Null(From());
        Assert.Null(From(new EngineView("builtin", "0.1.0", Available: true, "")));
    }

    private static LiveResource? From(params EngineView[] engines) => PythonRow.From(
        Environment,
        new(Connected: true, [.. engines.Select((engine, index) => new NodeView($"node-{index + 1}", "ready") { Engines = [engine] })], []));
}
