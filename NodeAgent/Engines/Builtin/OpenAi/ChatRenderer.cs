using System.Text.Json;
using System.Text.Json.Nodes;
using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>Renders with the model's own chat template.</summary>
internal sealed class ChatRenderer(ModelFolder model) : IChatRenderer
{
    public string Render(JsonArray messages, JsonElement? tools, JsonElement? arguments) =>
        throw new GenerationException(400, $"Model {model.Id} has no chat template; use /v1/completions.", "messages", "unsupported_value");
}
