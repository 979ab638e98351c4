using ClusterLlm.Testing;
using Grpc.Core;
using Proto = ClusterLlm.Protos.V1;

namespace ClusterLlm.NodeAgent.Tests.Rpc;

public sealed class ModelServiceTests : IDisposable
{
    private readonly AgentFactory _agent = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _agent.Dispose();

    [Fact]
    public async Task ListModels_GoodAndBrokenFolders_GivesModelsAndProblems()
    {
        CopyModel("llama-f32", "good");
        CopyModel("qwen2-bf16", Path.Combine("organisation", "nested"));
        CopyModel("llama-f16", "broken");
        await File.WriteAllTextAsync(Path.Combine(_agent.Models, "broken", "config.json"), "{", Cancellation);
        Directory.CreateDirectory(Path.Combine(_agent.Models, "notes"));
        using var channel = _agent.Channel();

        var inventory = await new Proto.ModelService.ModelServiceClient(channel).ListModelsAsync(new(), cancellationToken: Cancellation);

        Assert.Equal(["good", "nested"], inventory.Models.Select(model => model.ModelId));
        var problem = Assert.Single(inventory.Problems);
        Assert.EndsWith("broken", problem.Path, StringComparison.Ordinal);
        Assert.Contains("config.json", problem.Message, StringComparison.Ordinal);
        var good = inventory.Models[0];
        Assert.Equal(("llama", (int)good.LayerCount, 64), (good.ModelType, good.LayerBytes.Count, good.Fingerprint.Length));
        Assert.Equal(("fake", true), (good.Engines.Single(engine => engine.Engine == "fake").Engine, good.Engines.Single(engine => engine.Engine == "fake").Supported));
        Assert.Contains(good.Files, file => file.Name == "config.json");
    }

    [Fact]
    public async Task InspectModel_AbsoluteFolderElsewhere_IsRead()
    {
        using var channel = _agent.Channel();

        var model = await new Proto.ModelService.ModelServiceClient(channel).InspectModelAsync(
            new() { Model = TestModels.PathOf("llama-f32") }, cancellationToken: Cancellation);

        Assert.Equal("llama-f32", model.ModelId);
    }

    [Theory]
    [InlineData("absent", StatusCode.NotFound)]
    [InlineData("/nowhere/at/all", StatusCode.NotFound)]
    [InlineData("../good", StatusCode.NotFound)]
    [InlineData("", StatusCode.InvalidArgument)]
    public async Task InspectModel_Unusable_HasItsStatus(string model, StatusCode expected)
    {
        using var channel = _agent.Channel();

        var error = await Assert.ThrowsAsync<RpcException>(() => new Proto.ModelService.ModelServiceClient(channel)
            .InspectModelAsync(new() { Model = model }, cancellationToken: Cancellation).ResponseAsync);

        Assert.Equal(expected, error.StatusCode);
    }

    [Fact]
    public async Task InspectModel_FolderWithoutConfig_IsAnInvalidArgument()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_agent.Models, "empty")).FullName;
        using var channel = _agent.Channel();

        var error = await Assert.ThrowsAsync<RpcException>(() => new Proto.ModelService.ModelServiceClient(channel)
            .InspectModelAsync(new() { Model = folder }, cancellationToken: Cancellation).ResponseAsync);

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains("config.json", error.Status.Detail, StringComparison.Ordinal);
    }

    private void CopyModel(string name, string target)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_agent.Models, target));
        foreach (var file in Directory.EnumerateFiles(TestModels.PathOf(name)))
        {
            File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
        }
    }
}
