using System.Text.Json;
using ClusterLlm.Testing;

namespace ClusterLlm.ModelFiles.Tests.ChatTemplates;

public class ChatTemplateGoldenTests
{
    public static TheoryData<string> Tiny => [.. TestModels.Tiny];

    [Theory]
    [MemberData(nameof(Tiny))]
    public void Render_TinyModel_GivesTheGoldenPrompt(string name)
    {
        var folder = TestModels.PathOf(name);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));
        var chat = golden.RootElement.GetProperty("chat");

        var prompt = ChatTemplate.Load(folder, TimeProvider.System)!.Render(chat.GetProperty("messages"), null, addGenerationPrompt: true, null);

        Assert.Equal(chat.GetProperty("prompt").GetString(), prompt);
    }

    [Fact]
    public void Render_DemoModel_GivesTheGoldenPrompts() => CheckAll(TestModels.PathOf("demo-3m"), Path.Combine(TestModels.PathOf("demo-3m"), "golden.json"), "prompts");

    [Fact]
    public void Render_SmolLm_GivesTheGoldenPrompts() => CheckAll(
        SharedFiles.Require("models/SmolLM2-135M-Instruct-4bit"), SharedFiles.Require("models/golden/smollm2-135m-4bit.json"), "cases");

    private static void CheckAll(string folder, string goldenPath, string list)
    {
        var template = ChatTemplate.Load(folder, TimeProvider.System)!;
        using var golden = JsonDocument.Parse(File.ReadAllBytes(goldenPath));
        var checkedCases = 0;
        foreach (var entry in golden.RootElement.GetProperty(list).EnumerateArray())
        {
            if (entry.TryGetProperty("messages", out var messages))
            {
                Assert.Equal(entry.GetProperty("prompt").GetString(), template.Render(messages, null, addGenerationPrompt: true, null));
                checkedCases++;
            }
        }

        Assert.NotEqual(0, checkedCases);
    }
}
