using System.Text.Json;
using FsCheck.Xunit;

namespace ClusterLlm.ModelFiles.Tests.ChatTemplates;

public class ChatTemplateLimitTests
{
    private static readonly JsonElement Messages = JsonDocument.Parse("""[{"role":"user","content":"Hi"}]""").RootElement;

    [Theory(Timeout = 60_000)]
    [InlineData("{% set s = 'ab' %}{% for i in range(100) %}{% set s2 = s * 1000000000 %}{% endfor %}", "grows beyond")]
    [InlineData("{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "grows beyond")]
    [InlineData("{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}", "the template takes")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nest too deep")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "beyond 64 bits")]
    [InlineData("{{ (-9223372036854775807 - 1) // -1 }}", "beyond 64 bits")]
    [InlineData("{{ 'x'|indent(100000) }}", "width")]
    [InlineData("{% set l = [] %}{% set x = l.append(l) %}{{ l }}", "nest too deep")]
    public async Task Render_EndlessTemplate_Stops(string source, string reason)
    {
        var error = await Assert.ThrowsAsync<ChatTemplateException>(() => Task.Run(() => Render(source), TestContext.Current.CancellationToken));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("not ", "")]
    [InlineData("[", "]")]
    [InlineData("-", "")]
    public void Parse_ManyNestedBrackets_GivesAnError(string open, string close)
    {
        var source = "{{ " + string.Concat(Enumerable.Repeat(open, 100_000)) + "1" + string.Concat(Enumerable.Repeat(close, 100_000)) + " }}";

        Assert.Contains("nest", Assert.Throws<ChatTemplateException>(() => Render(source)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_ErrorInALaterLine_NamesIt()
    {
        var error = Assert.Throws<ChatTemplateException>(() => Render("a\nb\n{{ messages[0].nope.deeper }}"));

        Assert.Equal(3, error.Line);
        Assert.Equal("Chat template, line 3: 'nope' is undefined, so it has no 'deeper'", error.Message);
    }

    [Fact]
    public void Render_LoneSurrogateInAMessage_IsRefused()
    {
        using var messages = JsonDocument.Parse("""[{"role":"user","content":"\ud800"}]""");
        var template = ChatTemplate.Parse("{{ messages[0].content }}", new Dictionary<string, string?>(), TimeProvider.System);

        Assert.Throws<ChatTemplateRefusedException>(() => template.Render(messages.RootElement, null, false, null));
    }

    /// <summary>Whatever the template: text, or one of the two exceptions.</summary>
    [Property(MaxTest = 300)]
    public void Render_MutatedTemplate_NeverFailsOtherwise(Guid seed)
    {
        Random random = new(seed.GetHashCode());
        var files = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "ChatTemplates", "Families"), "*.jinja");
        var source = Mutation.OfText(File.ReadAllText(files[random.Next(files.Length)]), random);
        try
        {
            Render(source);
        }
        catch (Exception exception) when (exception is ChatTemplateException or ChatTemplateRefusedException)
        {
            Assert.NotEmpty(exception.Message);
        }
    }

    private static string Render(string source) =>
        ChatTemplate.Parse(source, new Dictionary<string, string?> { ["bos_token"] = "<s>", ["eos_token"] = "</s>" }, TimeProvider.System).Render(Messages, null, true, null);
}
