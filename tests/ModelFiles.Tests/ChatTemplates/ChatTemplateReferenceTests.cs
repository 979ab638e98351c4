using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.ModelFiles.Tests.ChatTemplates;

/// <summary>Compares with what Jinja itself renders: constructs.json and families.json say how they were made.</summary>
public class ChatTemplateReferenceTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "ChatTemplates");

    [Fact]
    public void Render_EveryConstruct_EqualsJinja()
    {
        using var reference = Read("constructs.json");
        var context = reference.RootElement.GetProperty("context");

        Assert.All(reference.RootElement.GetProperty("cases").EnumerateArray(), entry => Check(entry, entry.GetProperty("template").GetString()!, context));
    }

    [Fact]
    public void Render_EveryFamilysStyle_EqualsJinja()
    {
        using var reference = Read("families.json");

        Assert.All(
            reference.RootElement.GetProperty("cases").EnumerateArray(),
            entry => Check(entry, File.ReadAllText(Path.Combine(Folder, "Families", entry.GetProperty("file").GetString()!)), entry.GetProperty("context")));
    }

    private static void Check(JsonElement entry, string source, JsonElement context)
    {
        if (entry.TryGetProperty("expected", out var expected))
        {
            Assert.Equal(expected.GetString(), Render(source, context));
        }
        else if (entry.TryGetProperty("refusal", out var refusal))
        {
            Assert.Equal(refusal.GetString(), Assert.Throws<ChatTemplateRefusedException>(() => Render(source, context)).Message);
        }
        else
        {
            Assert.Throws<ChatTemplateException>(() => Render(source, context));
        }
    }

    private static string Render(string source, JsonElement context)
    {
        FakeTimeProvider time = new(new DateTimeOffset(2026, 3, 5, 9, 7, 4, TimeSpan.Zero));
        var variables = context.EnumerateObject().Where(entry => entry.Name is not ("messages" or "tools" or "add_generation_prompt"))
            .ToDictionary(entry => entry.Name, entry => entry.Value);
        JsonElement? tools = context.TryGetProperty("tools", out var given) ? given : null;
        var prompt = context.TryGetProperty("add_generation_prompt", out var asked) && asked.GetBoolean();
        return ChatTemplate.Parse(source, new Dictionary<string, string?>(), time).Render(context.GetProperty("messages"), tools, prompt, variables);
    }

    private static JsonDocument Read(string name) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, name)));
}
