using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Tests.Settings;

public sealed class NodeSettingsTests : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("agent-home");

    public void Dispose() => _home.Delete(recursive: true);

    [Fact]
    public void Options_Nothing_HaveTheirDefaults()
    {
        var options = Options();

        Assert.Equal((7430, 0, null, null), (options.GrpcPort, options.ProbePort, options.MemoryShare, options.MemoryLimitBytes));
        Assert.Equal([Path.Combine(_home.FullName, "models")], options.ModelDirectories);
    }

    [Fact]
    public void Options_CommandLine_IsRead()
    {
        var options = Options("--Node:GrpcPort=0", "--Node:MemoryShare=0.25", "--Node:ModelDirectories:0=/models", "--Node:CoordinatorUrl=https://127.0.0.1:7421");

        Assert.Equal((0, 0.25, "https://127.0.0.1:7421/"), (options.GrpcPort, options.MemoryShare, options.CoordinatorUrl?.ToString()));
        Assert.Equal(["/models"], options.ModelDirectories);
    }

    [Fact]
    public void Options_ManyProblems_AreAllTold()
    {
        var error = Assert.Throws<OptionsValidationException>(() => Options(
            "--Node:Id=a b",
            "--Node:GrpcPort=70000",
            "--Node:MemoryShare=1.5",
            "--Node:MemoryLimitBytes=-1",
            "--Node:CoordinatorUrl=coordinator",
            "--Node:ModelDirectories:0= ",
            "--Node:MemoryShar=1"));

        string[] expected = ["'a b'", "70000", "1.5", "-1", "'coordinator'", "ModelDirectories:0", "'Node:MemoryShare'"];
        Assert.Equal(expected.Length, error.Failures.Count());
        Assert.All(expected, text => Assert.Contains(error.Failures, failure => failure.Contains(text, StringComparison.Ordinal)));
    }

    [Fact]
    public void Identity_NoIdGiven_IsKeptOverStarts()
    {
        var first = Identity();
        var second = Identity();

        Assert.Equal(first.Id, second.Id);
        Assert.NotEqual(first.InstanceId, second.InstanceId);
        Assert.True(NodeIds.IsValid(first.Id));
    }

    [Fact]
    public void Identity_FileHoldsNoId_SaysWhichFile()
    {
        File.WriteAllText(Path.Combine(_home.FullName, "node-id"), "not an id");

        var error = Assert.Throws<SettingsException>(() => Identity());

        Assert.Contains("node-id", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Antons-Mac.local", "antons-mac-0000002a")]
    [InlineData("Büro", "b-ro-0000002a")]
    [InlineData("", "node-0000002a")]
    public void Create_HostName_GivesAValidId(string host, string expected)
    {
        Assert.Equal(expected, NodeIds.Create(host, 42));
        Assert.True(NodeIds.IsValid(expected));
    }

    private NodeOptions Options(params string[] arguments) => Services(arguments).GetRequiredService<IOptions<NodeOptions>>().Value;

    private NodeIdentity Identity() => Services([]).GetRequiredService<NodeIdentity>();

    private ServiceProvider Services(string[] arguments)
    {
        var builder = WebApplication.CreateSlimBuilder([.. arguments, $"--CLUSTERLLM_HOME={_home.FullName}"]);
        builder.AddServiceDefaults();
        builder.AddNodeSettings();
        return builder.Services.BuildServiceProvider();
    }
}
