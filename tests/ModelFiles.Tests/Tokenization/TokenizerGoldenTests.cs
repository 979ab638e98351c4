using System.Text.Json;
using ClusterLlm.Testing;

namespace ClusterLlm.ModelFiles.Tests.Tokenization;

public class TokenizerGoldenTests
{
    private static readonly string SmolLm = "models/SmolLM2-135M-Instruct-4bit";

    public static TheoryData<string> Tiny => [.. TestModels.Tiny];

    [Theory]
    [MemberData(nameof(Tiny))]
    public void Encode_TinyModel_GivesTheGoldenIds(string name)
    {
        var folder = TestModels.PathOf(name);
        var tokenizer = ModelTokenizer.Load(folder);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));

        foreach (var entry in golden.RootElement.GetProperty("tokenizer").EnumerateArray())
        {
            Assert.Equal(Ids(entry), tokenizer.Encode(entry.GetProperty("text").GetString()!, addSpecialTokens: true));
        }

        var chat = golden.RootElement.GetProperty("chat");
        Assert.Equal(Ids(chat), tokenizer.Encode(chat.GetProperty("prompt").GetString()!, addSpecialTokens: false));
        Assert.Equal(512, tokenizer.VocabularySize);
    }

    [Fact]
    public void Encode_DemoModel_GivesTheGoldenIds()
    {
        var folder = TestModels.PathOf("demo-3m");
        var tokenizer = ModelTokenizer.Load(folder);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));

        foreach (var prompt in golden.RootElement.GetProperty("prompts").EnumerateArray())
        {
            int[] expected = [.. prompt.GetProperty("prompt_ids").EnumerateArray().Select(id => id.GetInt32())];
            Assert.Equal(expected, tokenizer.Encode(prompt.GetProperty("prompt").GetString()!, addSpecialTokens: false));
        }
    }

    [Fact]
    public void Encode_SmolLm_GivesTheGoldenIdsAndText()
    {
        var tokenizer = ModelTokenizer.Load(SharedFiles.Require(SmolLm));
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Tokenization", "tokenizer-smollm2.json")));

        foreach (var entry in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            var text = entry.GetProperty("text").GetString()!;
            var ids = tokenizer.Encode(text, addSpecialTokens: false);
            Assert.Equal(Ids(entry), ids);
            Assert.Equal(
                entry.TryGetProperty("decoded", out var decoded) ? decoded.GetString() : text, tokenizer.Decode(ids, skipSpecialTokens: false));
        }
    }

    [Fact]
    public void Encode_SmolLmChats_GivesTheGoldenIds()
    {
        var tokenizer = ModelTokenizer.Load(SharedFiles.Require(SmolLm));
        using var golden = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require("models/golden/smollm2-135m-4bit.json")));

        foreach (var entry in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            int[] expected = [.. entry.GetProperty("prompt_ids").EnumerateArray().Select(id => id.GetInt32())];
            Assert.Equal(expected, tokenizer.Encode(entry.GetProperty("prompt").GetString()!, addSpecialTokens: false));
            int[] tokens = [.. entry.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32())];
            var end = entry.GetProperty("eos_index").ValueKind == JsonValueKind.Null ? tokens.Length : entry.GetProperty("eos_index").GetInt32();
            Assert.Equal(entry.GetProperty("text").GetString(), tokenizer.Decode(tokens[..end], skipSpecialTokens: false));
        }
    }

    private static int[] Ids(JsonElement entry) => [.. entry.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
}
