using System.Text.Json.Nodes;

namespace ClusterLlm.ModelFiles.Tests.Tensors;

/// <summary>Each kind of damage is found when the folder is opened, and the message tells file, tensor, value and remedy.</summary>
public class BadWeightsTests
{
    private const string Norm = "model.norm.weight";

    [Fact]
    public void Open_TruncatedFile_NamesTheTensorThatLacksBytes()
    {
        using ModelCopy copy = new("llama-f32");
        using (var file = File.OpenWrite(copy.File("model.safetensors")))
        {
            file.SetLength(file.Length - 100);
        }

        AssertProblem(copy, "model.safetensors", "but the file has only", "copy or download it again");
    }

    [Fact]
    public void Open_HeaderLongerThanTheFile_SaysBothLengths()
    {
        using ModelCopy copy = new("llama-f32");
        File.WriteAllBytes(copy.File("model.safetensors"), [0, 1, 0, 0, 0, 0, 0, 0, (byte)'{']);

        AssertProblem(copy, "model.safetensors", "header length", "256 bytes", "only 1");
    }

    [Fact]
    public void Open_HeaderAboveTheLimit_SaysTheLimit()
    {
        using ModelCopy copy = new("llama-f32");
        File.WriteAllBytes(copy.File("model.safetensors"), [255, 255, 255, 255, 255, 255, 255, 255]);

        AssertProblem(copy, "18446744073709551615", "100000000");
    }

    [Fact]
    public void Open_OverlappingTensors_NamesOneAndTheOther()
    {
        using ModelCopy copy = new("llama-f32");
        copy.EditHeader(header => header[Norm]!["data_offsets"] = header["model.layers.0.input_layernorm.weight"]!["data_offsets"]!.DeepClone());

        AssertProblem(copy, "overlaps", "norm.weight");
    }

    [Fact]
    public void Open_HoleBetweenTensors_IsFound()
    {
        using ModelCopy copy = new("llama-f32");
        copy.EditHeader(header => header.Remove(Norm));

        AssertProblem(copy, "leaves a hole after");
    }

    [Fact]
    public void Open_OffsetsBeyondTheFile_NamesTheTensor()
    {
        using ModelCopy copy = new("llama-f32");
        copy.EditHeader(header => header["zz.more"] = JsonNode.Parse(
            $$"""{"dtype":"U8","shape":[10],"data_offsets":[{{DataBytes(header)}},{{DataBytes(header) + 10}}]}"""));

        AssertProblem(copy, "zz.more", "but the file has only");
    }

    [Theory]
    [InlineData("\"dtype\":\"Q4_K\"", "dtype 'Q4_K' is unknown", "BF16")]
    [InlineData("\"dtype\":3", "field 'dtype'", "dtype (text)")]
    [InlineData("\"dtype\":\"F16\"", "shape [64] of F16 takes 128 bytes", "span 256")]
    [InlineData("\"shape\":[-1]", "shape[0] is no whole number", "damaged")]
    [InlineData("\"shape\":[9223372036854775807,9223372036854775807]", "takes more than any file has", Norm)]
    [InlineData("\"shape\":\"64\"", "shape is no array", Norm)]
    [InlineData("\"data_offsets\":[8,4]", "data_offsets [8, 4] are no range", Norm)]
    [InlineData("\"data_offsets\":[4]", "data_offsets [4] are no range", Norm)]
    [InlineData("\"extra\":1", "field 'extra'", Norm)]
    public void Open_WrongField_NamesTensorAndValue(string field, string problem, string more)
    {
        using ModelCopy copy = new("llama-f32");
        copy.EditHeader(header =>
        {
            foreach (var (name, value) in JsonNode.Parse("{" + field + "}")!.AsObject())
            {
                header[Norm]![name] = value!.DeepClone();
            }
        });

        AssertProblem(copy, Norm, problem, more);
    }

    [Fact]
    public void Open_TensorTwiceInTheHeader_IsFound()
    {
        using ModelCopy copy = new("llama-f32");
        copy.WriteFile("model.safetensors", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}"u8, [0]);

        AssertProblem(copy, ": a:", "twice");
    }

    [Fact]
    public void Open_MissingTensor_SaysWhichAndWhereItLooked()
    {
        using ModelCopy copy = new("llama-f32");
        copy.EditHeader(header =>
        {
            header["renamed"] = header[Norm]!.DeepClone();
            header.Remove(Norm);
        });

        AssertProblem(copy, Norm, "is in none of the model's files (model.safetensors)");
    }

    [Fact]
    public void Open_MisshapenTensor_SaysBothShapes()
    {
        using ModelCopy copy = new("llama-f32");
        copy.EditJson("config.json", config => config["intermediate_size"] = 100);

        AssertProblem(copy, "mlp.gate_proj.weight", "[144, 64]", "[100, 64]");
    }

    [Fact]
    public void Open_OtherLayerCountThanTheConfigs_SaysBoth()
    {
        using ModelCopy fewer = new("llama-f32");
        fewer.EditJson("config.json", config => config["num_hidden_layers"] = 6);
        using ModelCopy more = new("llama-f32");
        more.EditJson("config.json", config => config["num_hidden_layers"] = 8);

        AssertProblem(fewer, "model.layers.6", "num_hidden_layers 6");
        AssertProblem(more, "model.layers.7", "num_hidden_layers 8");
    }

    [Fact]
    public void Open_NoWeights_SaysWhatIsNeeded()
    {
        using ModelCopy copy = new("llama-f32");
        File.Delete(copy.File("model.safetensors"));
        File.Delete(copy.File("model.safetensors.index.json"));

        AssertProblem(copy, "model.safetensors.index.json", "copy or download");
    }

    [Fact]
    public void Require_TensorOfAMissingShard_NamesTheFile()
    {
        using ModelCopy copy = new("llama-bf16-sharded");
        File.Delete(copy.File("model-00002-of-00002.safetensors"));

        var model = ModelFolder.Open(copy.Folder);
        var error = Assert.Throws<ModelFileException>(() => model.Tensors.Require(Norm));

        Assert.Equal(["model-00002-of-00002.safetensors"], model.Tensors.MissingFiles);
        Assert.EndsWith("model-00002-of-00002.safetensors", error.Path, StringComparison.Ordinal);
        Assert.Equal(Norm, error.Item);
    }

    [Fact]
    public void Open_IndexOutsideTheFolder_IsRefused()
    {
        using ModelCopy copy = new("llama-bf16-sharded");
        copy.EditJson("model.safetensors.index.json", index => index["weight_map"]![Norm] = "../other.safetensors");

        AssertProblem(copy, Norm, "../other.safetensors", "no file name within the folder");
    }

    [Fact]
    public void Open_TensorInAnotherShardThanTheIndexSays_IsFound()
    {
        using ModelCopy copy = new("llama-bf16-sharded");
        copy.EditJson("model.safetensors.index.json", index => index["weight_map"]![Norm] = "model-00001-of-00002.safetensors");

        AssertProblem(copy, Norm, "model-00001-of-00002.safetensors");
    }

    [Fact]
    public void Open_SameTensorInTwoShards_IsFound()
    {
        using ModelCopy copy = new("llama-bf16-sharded");
        File.Copy(copy.File("model-00001-of-00002.safetensors"), copy.File("model-00002-of-00002.safetensors"), overwrite: true);

        AssertProblem(copy, "is also in model-0000");
    }

    [Fact]
    public void Mapping_FileThatBecameShorter_SaysSo()
    {
        using ModelCopy copy = new("llama-f32");
        var model = ModelFolder.Open(copy.Folder);
        File.WriteAllBytes(copy.File("model.safetensors"), new byte[100]);

        var error = Assert.Throws<ModelFileException>(() => new TensorMapping(model.Tensors.Tensors.Values));

        Assert.Contains("it changed since its header was read", error.Message, StringComparison.Ordinal);
    }

    private static long DataBytes(JsonObject header) =>
        header.Where(entry => entry.Key != "__metadata__").Max(entry => entry.Value!["data_offsets"]![1]!.GetValue<long>());

    private static void AssertProblem(ModelCopy copy, params string[] parts)
    {
        var error = Assert.Throws<ModelFileException>(() => ModelFolder.Open(copy.Folder));
        Assert.StartsWith(copy.Folder, error.Message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
