using ClusterLlm.Testing;

namespace ClusterLlm.ModelFiles.Tests;

public class ModelFolderTests
{
    public static TheoryData<string> Models => [.. TestModels.All];

    [Theory]
    [MemberData(nameof(Models))]
    public void Open_TestModel_LayoutCoversAllBytes(string name)
    {
        var model = ModelFolder.Open(TestModels.PathOf(name));

        Assert.Equal(model.Tensors.Tensors.Values.Sum(tensor => tensor.ByteCount), model.Layout.TotalBytes);
        Assert.Equal(0, model.Layout.OtherBytes);
        Assert.Equal(model.Config.LayerCount, model.Layout.LayerBytes.Length);
        Assert.All(model.Layout.LayerBytes, bytes => Assert.Equal(model.Layout.LayerBytes[0], bytes));
        Assert.Equal(model.Config.TiedEmbeddings, model.Layout.HeadBytes == 0);
    }

    [Theory]
    [InlineData("llama-bf16-sharded", "bf16")]
    [InlineData("llama-f16", "f16")]
    [InlineData("llama-f32", "f32")]
    [InlineData("qwen2-8bit-g32", "8-bit affine, groups of 32")]
    [InlineData("demo-3m-4bit", "4-bit affine, groups of 64")]
    public void WeightFormat_OfModel_IsWhatPeopleCallIt(string name, string format) =>
        Assert.Equal(format, ModelFolder.Open(TestModels.PathOf(name)).WeightFormat);

    [Theory]
    [MemberData(nameof(Models))]
    public void Mapping_EveryTensor_HasTheFilesBytes(string name)
    {
        var model = ModelFolder.Open(TestModels.PathOf(name));
        using var mapping = new TensorMapping(model.Tensors.Tensors.Values);

        foreach (var tensor in model.Tensors.Tensors.Values)
        {
            using var file = File.OpenRead(tensor.FilePath);
            file.Position = tensor.FileOffset;
            var expected = new byte[tensor.ByteCount];
            file.ReadExactly(expected);
            Assert.True(mapping.Bytes(tensor).SequenceEqual(expected), tensor.Name);
        }
    }

    [Fact]
    public void Open_SmolLm_ReadsTheOverrideOfItsEmbedding()
    {
        var model = ModelFolder.Open(SharedFiles.Require("models/SmolLM2-135M-Instruct-4bit"));

        Assert.Equal(new WeightPacking(32, 8, "affine"), model.Config.Quantization!.For("model.embed_tokens"));
        Assert.Equal(new WeightPacking(32, 4, "affine"), model.Config.Quantization!.For("model.layers.0.mlp.up_proj"));
        Assert.Equal(30, model.Layout.LayerBytes.Length);
        Assert.Equal(0, model.Layout.OtherBytes);
    }
}
