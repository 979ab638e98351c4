using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>
/// A model's chat template: turns a conversation into the text that the model continues. Jinja as transformers sets it up, without
/// includes, imports and inheritance. Thread safe.
/// </summary>
public sealed class ChatTemplate
{
    private readonly IReadOnlyList<Statement> _statements;
    private readonly IReadOnlyDictionary<string, string?> _specialTokens;
    private readonly TimeProvider _time;

    private ChatTemplate(string source, IReadOnlyDictionary<string, string?> specialTokens, TimeProvider time)
    {
        Source = source;
        _statements = StatementParser.Parse(source);
        _specialTokens = specialTokens;
        _time = time;
    }

    /// <summary>The template's text.</summary>
    public string Source { get; }

    /// <summary>Reads a folder's template: <c>chat_template.jinja</c>, <c>chat_template.json</c> or <c>tokenizer_config.json</c>, the first that has one.</summary>
    /// <param name="timeProvider">For templates that write today's date.</param>
    /// <returns>Null when the model has none.</returns>
    /// <exception cref="ModelFileException">A file is damaged, or the template is not well-formed.</exception>
    public static ChatTemplate? Load(string folder, TimeProvider timeProvider) => Load(folder, timeProvider, hasTools: false);

    /// <summary>As <see cref="Load(string, TimeProvider)"/>; of several named templates the one for tools (<c>tool_use</c>) when asked for.</summary>
    public static ChatTemplate? Load(string folder, TimeProvider timeProvider, bool hasTools)
    {
        if (ChatTemplateFiles.Find(folder, hasTools) is not { } found)
        {
            return null;
        }

        try
        {
            return new ChatTemplate(found.Source, found.SpecialTokens, timeProvider);
        }
        catch (ChatTemplateException exception)
        {
            throw new ModelFileException(found.Path, "chat_template", exception.Message, exception);
        }
    }

    /// <summary>Parses a template.</summary>
    /// <param name="specialTokens">By name, for example <c>bos_token</c>; null for one that the model lacks.</param>
    /// <exception cref="ChatTemplateException">The template is not well-formed.</exception>
    public static ChatTemplate Parse(string source, IReadOnlyDictionary<string, string?> specialTokens, TimeProvider timeProvider) =>
        new(source, specialTokens, timeProvider);

    /// <summary>Renders a conversation.</summary>
    /// <param name="messages">An array as in OpenAI's requests.</param>
    /// <param name="tools">An array of tools; null when there are none.</param>
    /// <param name="addGenerationPrompt">Ends with what begins the assistant's answer.</param>
    /// <param name="variables">Further names for the template, for example <c>enable_thinking</c>; null for none.</param>
    /// <exception cref="ChatTemplateRefusedException">The template says that the conversation is not one it takes.</exception>
    /// <exception cref="ChatTemplateException">The template can't be rendered, or goes beyond the limits.</exception>
    public string Render(JsonElement messages, JsonElement? tools, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonElement>? variables)
    {
        RenderState state = new(CreateScope(messages, tools, addGenerationPrompt, variables), _time);
        try
        {
            Statement.RenderAll(_statements, state);
            TemplateLimits.CheckLength(state.Output.Length);
            return state.Output.ToString();
        }
        catch (TemplateProblemException problem)
        {
            throw new ChatTemplateException(state.Line, problem.Message);
        }
        catch (InsufficientExecutionStackException)
        {
            throw new ChatTemplateException(state.Line, "macros or values nest too deep");
        }
    }

    private TemplateScope CreateScope(JsonElement messages, JsonElement? tools, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonElement>? variables)
    {
        TemplateScope scope = new(null);
        foreach (var function in TemplateGlobals.Create(_time.GetLocalNow()))
        {
            scope.Set(function.Name, function);
        }

        foreach (var (name, token) in _specialTokens.Where(token => token.Value is not null))
        {
            scope.Set(name, token);
        }

        scope.Set("documents", null);

        // A lone surrogate in a JSON string is only found when it is read.
        try
        {
            foreach (var (name, value) in variables ?? new Dictionary<string, JsonElement>())
            {
                scope.Set(name, TemplateValue.From(value));
            }

            scope.Set("messages", TemplateValue.From(messages));
            scope.Set("tools", tools is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0 ? TemplateValue.From(list) : null);
        }
        catch (InvalidOperationException)
        {
            throw new ChatTemplateRefusedException("a text of the messages, tools or template variables is not valid Unicode");
        }

        scope.Set("add_generation_prompt", addGenerationPrompt);
        return scope;
    }
}
