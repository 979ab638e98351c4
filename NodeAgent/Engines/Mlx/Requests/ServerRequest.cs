using System.Collections.Immutable;
using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>What one request of a client becomes for the server: one body for each choice of the answer.</summary>
/// <param name="Logprobs">The client wants them.</param>
/// <param name="TokensAsIds">Token texts in log-probabilities are written as <c>token_id:17</c>.</param>
internal sealed record ServerRequest(RequestKind Kind, bool Logprobs, bool TokensAsIds, ImmutableArray<ServerBody> Bodies)
{
    /// <summary>The server's path.</summary>
    public string Path => Kind == RequestKind.ChatCompletion ? "/v1/chat/completions" : "/v1/completions";
}

/// <summary>One body for the server.</summary>
/// <param name="Index">Of the choice in the client's answer.</param>
/// <param name="CountsPrompt">The first choice of its prompt: usage counts each prompt once.</param>
internal sealed record ServerBody(int Index, bool CountsPrompt, ReadOnlyMemory<byte> Json);

/// <summary>What the translation has to know of the model and the deployment.</summary>
/// <param name="Defaults">For what the request does not say.</param>
internal sealed record RequestLimits(int VocabularySize, int ContextTokens, GenerationDefaults Defaults);
