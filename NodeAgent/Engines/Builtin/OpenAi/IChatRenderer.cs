using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClusterLlm.NodeAgent.Engines.Builtin.OpenAi;

/// <summary>Renders a chat to the text that the model continues.</summary>
internal interface IChatRenderer
{
    /// <param name="messages">Objects with role, content and what else the client sent.</param>
    /// <param name="tools">The request's tools; null without.</param>
    /// <param name="arguments">The request's <c>chat_template_kwargs</c>; null without.</param>
    /// <exception cref="GenerationException">400: the template refuses these messages, or the model has none.</exception>
    string Render(JsonArray messages, JsonElement? tools, JsonElement? arguments);
}
