namespace ClusterLlm.ModelFiles;

/// <summary>A place in a template's tokens.</summary>
internal sealed class TemplateTokens(IReadOnlyList<TemplateToken> tokens)
{
    private int _position;

    public TemplateToken Current => tokens[_position];

    public TemplateToken Following => tokens[Math.Min(_position + 1, tokens.Count - 1)];

    public TemplateToken Take() => Current.Kind == TemplateTokenKind.End ? Current : tokens[_position++];

    public bool TryTake(TemplateTokenKind kind, string value)
    {
        var matches = Current.Is(kind, value);
        _position += matches ? 1 : 0;
        return matches;
    }

    public bool TryTakeOperator(string value) => TryTake(TemplateTokenKind.Operator, value);

    public bool TryTakeName(string value) => TryTake(TemplateTokenKind.Name, value);

    public TemplateToken Expect(TemplateTokenKind kind, string what) => Current.Kind == kind ? Take() : throw Error($"{what} is expected, not {Current.Describe()}");

    public void ExpectOperator(string value)
    {
        if (!TryTakeOperator(value))
        {
            throw Error($"'{value}' is expected, not {Current.Describe()}");
        }
    }

    public ChatTemplateException Error(string problem) => new(Current.Line, problem);
}
