using System.Diagnostics;
using ClusterLlm.Testing;
using FsCheck.Xunit;

namespace ClusterLlm.ModelFiles.Tests;

/// <summary>Whatever is done to a file, its reader takes it or raises <see cref="ModelFileException"/>, and soon.</summary>
public class ReaderFuzzTests
{
    [Property(MaxTest = 400)]
    public void Safetensors_MutatedFile_OnlyModelFileException(Guid seed)
    {
        Random random = new(seed.GetHashCode());
        using ModelCopy copy = new("llama-f32");
        var path = copy.File("model.safetensors");
        var bytes = File.ReadAllBytes(path);

        // Mostly the header: the weights are not read.
        var header = Mutation.OfBytes(bytes[..4200], random);
        File.WriteAllBytes(path, [.. header, .. bytes[4200..]]);
        Expect(() => ModelFolder.Open(copy.Folder));
    }

    [Property(MaxTest = 400)]
    public void SafetensorsHeader_MutatedJson_OnlyModelFileException(Guid seed)
    {
        Random random = new(seed.GetHashCode());
        var bytes = File.ReadAllBytes(Path.Combine(TestModels.PathOf("qwen3-4bit-g64"), "model.safetensors"));
        var json = bytes[8..(8 + BitConverter.ToInt32(bytes))];
        Expect(() => SafetensorsHeader.Parse(Mutation.OfBytes(json, random), "model.safetensors", 8));
    }

    [Property(MaxTest = 500)]
    public void Config_MutatedFile_OnlyModelFileException(Guid seed)
    {
        Random random = new(seed.GetHashCode());
        var bytes = File.ReadAllBytes(Path.Combine(TestModels.PathOf(TestModels.All[random.Next(TestModels.All.Count)]), "config.json"));
        Expect(() => ModelConfig.Parse(Mutation.OfBytes(bytes, random), "config.json"));
    }

    [Property(MaxTest = 200)]
    public void Index_MutatedFile_OnlyModelFileException(Guid seed)
    {
        Random random = new(seed.GetHashCode());
        var bytes = File.ReadAllBytes(Path.Combine(TestModels.PathOf("llama-bf16-sharded"), "model.safetensors.index.json"));
        Expect(() => ShardMap.Parse(Mutation.OfBytes(bytes, random), "model.safetensors.index.json"));
    }

    [Property(MaxTest = 300)]
    public void Tokenizer_MutatedFile_OnlyModelFileException(Guid seed)
    {
        Random random = new(seed.GetHashCode());
        var bytes = File.ReadAllBytes(Path.Combine(TestModels.PathOf(TestModels.Tiny[random.Next(TestModels.Tiny.Count)]), "tokenizer.json"));
        Expect(() =>
        {
            var tokenizer = ModelTokenizer.Parse(Mutation.OfBytes(bytes, random), "tokenizer.json");
            var ids = tokenizer.Encode("Hello <|im_start|> wörld 123  \n🙂", addSpecialTokens: true);
            _ = tokenizer.Decode(ids, skipSpecialTokens: false);
        });
    }

    /// <summary>The structure damaged, not the bytes: any value may be of any type.</summary>
    [Property(MaxTest = 500)]
    public void Tokenizer_ReplacedValues_OnlyModelFileException(Guid seed)
    {
        Random random = new(seed.GetHashCode());
        var name = TestModels.Tiny[random.Next(TestModels.Tiny.Count)];
        var json = JsonMutation.ReplaceOne(File.ReadAllText(Path.Combine(TestModels.PathOf(name), "tokenizer.json")), random);
        Expect(() => ModelTokenizer.Parse(json, "tokenizer.json").Encode("Hello <|im_start|> wörld 123  \n🙂", addSpecialTokens: true));
    }

    [Property(MaxTest = 500)]
    public void Config_ReplacedValues_OnlyModelFileException(Guid seed)
    {
        Random random = new(seed.GetHashCode());
        var name = TestModels.All[random.Next(TestModels.All.Count)];
        var json = JsonMutation.ReplaceOne(File.ReadAllText(Path.Combine(TestModels.PathOf(name), "config.json")), random);
        Expect(() => ModelConfig.Parse(json, "config.json"));
    }

    private static void Expect(Action read)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            read();
        }
        catch (ModelFileException exception)
        {
            Assert.NotEmpty(exception.Message);
        }

        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }
}
