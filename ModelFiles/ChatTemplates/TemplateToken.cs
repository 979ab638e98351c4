namespace ClusterLlm.ModelFiles;

internal enum TemplateTokenKind
{
    Text,
    BlockStart,
    BlockEnd,
    OutputStart,
    OutputEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A piece of a template.</summary>
/// <param name="Value">The text, with escapes resolved for strings.</param>
/// <param name="Line">1-based.</param>
internal readonly record struct TemplateToken(TemplateTokenKind Kind, string Value, int Line)
{
    public bool Is(TemplateTokenKind kind, string value) => Kind == kind && Value == value;

    public string Describe() => Kind switch
    {
        TemplateTokenKind.End => "the end of the template",
        TemplateTokenKind.BlockEnd => "'%}'",
        TemplateTokenKind.OutputEnd => "'}}'",
        TemplateTokenKind.Text => "text",
        _ => $"'{Value}'",
    };
}
