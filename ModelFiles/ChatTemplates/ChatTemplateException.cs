namespace ClusterLlm.ModelFiles;

/// <summary>A chat template that can't be read or rendered. The message names the line and the construct.</summary>
public sealed class ChatTemplateException(int line, string problem) : Exception($"Chat template, line {line}: {problem}")
{
    /// <summary>1-based line of the template.</summary>
    public int Line { get; } = line;
}

/// <summary>The template itself refused the conversation (<c>raise_exception</c>): the request is at fault, not the template.</summary>
public sealed class ChatTemplateRefusedException(string message) : Exception(message);
