using System.Text.Json;
using System.Text.Json.Nodes;
using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>Renders with the model's own chat template; some models have another one for requests with tools.</summary>
internal sealed class ChatRenderer(string modelId, ChatTemplate? template, ChatTemplate? templateForTools) : IChatRenderer
{
    /// <exception cref="ModelFileException">A template is not well-formed.</exception>
    public static ChatRenderer Load(ModelFolder model, TimeProvider time) =>
        new(model.Id, ChatTemplate.Load(model.Path, time), ChatTemplate.Load(model.Path, time, hasTools: true));

    public string Render(JsonArray messages, JsonElement? tools, JsonElement? arguments)
    {
        var chosen = (tools is { } list && list.GetArrayLength() > 0 ? templateForTools : template)
            ?? throw new GenerationException(
                400, $"The model {modelId} has no chat template; use /v1/completions.", "messages", "unsupported_value");
        try
        {
            var json = JsonSerializer.SerializeToElement(messages);
            return chosen.Render(json, tools, addGenerationPrompt: true, Variables(arguments));
        }
        catch (ChatTemplateRefusedException exception)
        {
            throw new GenerationException(400, $"The model's chat template refuses these messages: {exception.Message}", "messages", "invalid_value", exception);
        }
        catch (ChatTemplateException exception)
        {
            throw new GenerationException(400, $"The model's chat template can't render these messages: {exception.Message}", "messages", "invalid_value", exception);
        }
    }

    private static Dictionary<string, JsonElement>? Variables(JsonElement? arguments)
    {
        if (arguments is not { } json)
        {
            return null;
        }

        return json.ValueKind == JsonValueKind.Object
            ? json.EnumerateObject().DistinctBy(entry => entry.Name).ToDictionary(entry => entry.Name, entry => entry.Value)
            : throw RequestFields.Invalid("chat_template_kwargs", json, "an object", "");
    }
}
