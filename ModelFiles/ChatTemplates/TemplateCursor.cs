namespace ClusterLlm.ModelFiles;

/// <summary>A place in a template's text, and the tokens found so far.</summary>
internal sealed class TemplateCursor(string source)
{
    private readonly List<TemplateToken> _tokens = [];
    private int _line = 1;
    private int _lineCountedTo;

    public string Source => source;

    public int Position { get; set; }

    public IReadOnlyList<TemplateToken> Tokens => _tokens;

    public int Advance(Func<char, bool> belongs)
    {
        while (Position < source.Length && belongs(source[Position]))
        {
            Position++;
        }

        return Position;
    }

    public void SkipWhiteSpace() => Advance(char.IsWhiteSpace);

    public bool Starts(string value, int position) => string.CompareOrdinal(source, position, value, 0, value.Length) == 0;

    public void Add(TemplateTokenKind kind, string value) => Add(kind, value, Position);

    public void Add(TemplateTokenKind kind, string value, int position) => _tokens.Add(new TemplateToken(kind, value, LineAt(position)));

    private int LineAt(int position)
    {
        var end = Math.Min(position, source.Length);
        if (end > _lineCountedTo)
        {
            _line += source.AsSpan(_lineCountedTo, end - _lineCountedTo).Count('\n');
            _lineCountedTo = end;
        }

        return _line;
    }

    public ChatTemplateException Error(string problem) => new(LineAt(Position), problem);
}
