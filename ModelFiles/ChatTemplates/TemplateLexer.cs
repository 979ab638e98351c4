using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>
/// Cuts a template into text and the tokens of its tags. White space as transformers sets Jinja up: <c>trim_blocks</c> (a block tag takes
/// the line break after it along) and <c>lstrip_blocks</c> (and the indentation before it); <c>-</c> and <c>+</c> in a tag override.
/// </summary>
internal sealed class TemplateLexer
{
    private static readonly string[] Operators =
        ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "|", "(", ")", "[", "]", "{", "}", ",", ":", ".", "=", "<", ">", ";"];

    private readonly string _source;
    private readonly List<TemplateToken> _tokens = [];
    private int _position;
    private int _line = 1;
    private int _lineCountedTo;

    // Whether what was read last ended a line: only then may indentation be stripped that has no line break of its own before it.
    private bool _atLineStart = true;

    private TemplateLexer(string source) => _source = source;

    /// <exception cref="ChatTemplateException">A tag or a string is not closed, or a character is none of the language's.</exception>
    public static IReadOnlyList<TemplateToken> Read(string source)
    {
        // As Jinja: line breaks are \n, and a single one at the very end is not part of the template.
        var normalized = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        TemplateLexer lexer = new(normalized.EndsWith('\n') ? normalized[..^1] : normalized);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (_position < _source.Length)
        {
            var tag = NextTag(_position);
            AddText(tag < 0 ? _source.Length : tag, tag);
            if (tag >= 0)
            {
                ReadTag(tag);
            }
        }

        Add(TemplateTokenKind.End, "");
    }

    private int NextTag(int start)
    {
        for (var i = _source.IndexOf('{', start); i >= 0 && i + 1 < _source.Length; i = _source.IndexOf('{', i + 1))
        {
            if (_source[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    /// <param name="tag">Where the tag after the text begins; negative when there is none.</param>
    private void AddText(int end, int tag)
    {
        var text = _source[_position..end];
        var sign = tag >= 0 && tag + 2 < _source.Length ? _source[tag + 2] : ' ';
        if (tag >= 0 && sign == '-')
        {
            text = text.TrimEnd();
        }
        else if (tag >= 0 && sign != '+' && _source[tag + 1] != '{')
        {
            var lineStart = text.LastIndexOf('\n') + 1;
            if ((lineStart > 0 || _atLineStart) && string.IsNullOrWhiteSpace(text[lineStart..]))
            {
                text = text[..lineStart];
            }
        }

        if (text.Length > 0)
        {
            Add(TemplateTokenKind.Text, text);
        }

        _position = end;
    }

    private void ReadTag(int tag)
    {
        var kind = _source[tag + 1];
        _position = tag + 2;
        if (_position < _source.Length && _source[_position] is '-' or '+')
        {
            _position++;
        }

        switch (kind)
        {
            case '#':
                SkipComment(tag);
                break;
            case '{':
                Add(TemplateTokenKind.OutputStart, "{{");
                ReadTokens("}}", TemplateTokenKind.OutputEnd);
                break;
            default:
                if (!TryReadRaw())
                {
                    Add(TemplateTokenKind.BlockStart, "{%");
                    ReadTokens("%}", TemplateTokenKind.BlockEnd);
                }

                break;
        }
    }

    private void SkipComment(int tag)
    {
        var end = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0)
        {
            _position = tag;
            throw Error("the comment is never closed with '#}'");
        }

        var sign = end > _position ? _source[end - 1] : ' ';
        _position = end + 2;
        EndBlock(sign);
    }

    /// <summary>White space after a block's or comment's end.</summary>
    private void EndBlock(char sign)
    {
        var start = _position;
        if (sign == '-')
        {
            SkipWhiteSpace();
        }
        else if (sign != '+' && _position < _source.Length && _source[_position] == '\n')
        {
            _position++;
        }

        _atLineStart = _position > start && _source[_position - 1] == '\n';
    }

    /// <summary><c>{% raw %}</c> … <c>{% endraw %}</c> is text.</summary>
    private bool TryReadRaw()
    {
        if (!TagIs("raw", _position, out var bodyStart))
        {
            return false;
        }

        for (var i = _source.IndexOf("{%", bodyStart, StringComparison.Ordinal); i >= 0; i = _source.IndexOf("{%", i + 2, StringComparison.Ordinal))
        {
            var inner = i + 2 < _source.Length && _source[i + 2] is '-' or '+' ? i + 3 : i + 2;
            if (TagIs("endraw", inner, out var end))
            {
                var text = _source[bodyStart..i];
                Add(TemplateTokenKind.Text, _source[inner - 1] == '-' ? text.TrimEnd() : text);
                _position = end;
                _atLineStart = false;
                return true;
            }
        }

        throw Error("'raw' is never closed with 'endraw'");
    }

    private bool TagIs(string name, int position, out int end)
    {
        end = _source.IndexOf("%}", Math.Min(position, _source.Length), StringComparison.Ordinal);
        if (end < 0 || _source[position..end].Trim(' ', '\t', '\n', '-', '+') != name)
        {
            return false;
        }

        end += 2;
        return true;
    }

    private void ReadTokens(string close, TemplateTokenKind closeKind)
    {
        var depth = 0;
        while (true)
        {
            SkipWhiteSpace();
            if (_position >= _source.Length)
            {
                throw Error($"the tag is never closed with '{close}'");
            }

            var signed = _source[_position] is '-' or '+' && Starts(close, _position + 1);
            if ((signed || Starts(close, _position)) && (depth == 0 || close == "%}"))
            {
                var sign = signed ? _source[_position] : ' ';
                Add(closeKind, close);
                _position += close.Length + (signed ? 1 : 0);
                EndTag(closeKind, sign);
                return;
            }

            ReadToken();
            depth += _tokens[^1] switch
            {
                { Kind: TemplateTokenKind.Operator, Value: "{" } => 1,
                { Kind: TemplateTokenKind.Operator, Value: "}" } => -1,
                _ => 0,
            };
        }
    }

    private void EndTag(TemplateTokenKind kind, char sign)
    {
        if (kind == TemplateTokenKind.BlockEnd)
        {
            EndBlock(sign);
            return;
        }

        _atLineStart = false;
        if (sign == '-')
        {
            SkipWhiteSpace();
        }
    }

    private void ReadToken()
    {
        var start = _position;
        var first = _source[start];
        if (char.IsLetter(first) || first == '_')
        {
            Add(TemplateTokenKind.Name, _source[start..Advance(character => char.IsLetterOrDigit(character) || character == '_')], start);
        }
        else if (char.IsAsciiDigit(first))
        {
            ReadNumber(start);
        }
        else if (first is '\'' or '"')
        {
            ReadString(first);
        }
        else
        {
            var symbol = Operators.FirstOrDefault(candidate => Starts(candidate, start)) ?? throw Error($"unexpected character '{first}'");
            _position += symbol.Length;
            Add(TemplateTokenKind.Operator, symbol);
        }
    }

    private void ReadNumber(int start)
    {
        Advance(character => char.IsAsciiDigit(character) || character == '_');
        var kind = TemplateTokenKind.Integer;
        if (_position + 1 < _source.Length && _source[_position] == '.' && char.IsAsciiDigit(_source[_position + 1]))
        {
            kind = TemplateTokenKind.Float;
            _position++;
            Advance(char.IsAsciiDigit);
        }

        if (_position + 1 < _source.Length && _source[_position] is 'e' or 'E' && (char.IsAsciiDigit(_source[_position + 1]) || _source[_position + 1] is '-' or '+'))
        {
            kind = TemplateTokenKind.Float;
            _position += 2;
            Advance(char.IsAsciiDigit);
        }

        Add(kind, _source[start.._position].Replace("_", "", StringComparison.Ordinal));
    }

    private void ReadString(char quote)
    {
        StringBuilder text = new();
        var position = _position + 1;
        while (position < _source.Length && _source[position] != quote)
        {
            if (_source[position] == '\\' && position + 1 < _source.Length)
            {
                position = TemplateEscapes.Append(_source, position + 1, text);
            }
            else
            {
                text.Append(_source[position++]);
            }
        }

        if (position >= _source.Length)
        {
            throw Error($"a text that begins with {quote} is never closed");
        }

        Add(TemplateTokenKind.String, text.ToString());
        _position = position + 1;
    }

    private int Advance(Func<char, bool> belongs)
    {
        while (_position < _source.Length && belongs(_source[_position]))
        {
            _position++;
        }

        return _position;
    }

    private void SkipWhiteSpace() => Advance(char.IsWhiteSpace);

    private bool Starts(string value, int position) => string.CompareOrdinal(_source, position, value, 0, value.Length) == 0;

    private void Add(TemplateTokenKind kind, string value) => Add(kind, value, _position);

    private void Add(TemplateTokenKind kind, string value, int position) => _tokens.Add(new TemplateToken(kind, value, LineAt(position)));

    private int LineAt(int position)
    {
        var end = Math.Min(position, _source.Length);
        if (end > _lineCountedTo)
        {
            _line += _source.AsSpan(_lineCountedTo, end - _lineCountedTo).Count('\n');
            _lineCountedTo = end;
        }

        return _line;
    }

    private ChatTemplateException Error(string problem) => new(LineAt(_position), problem);
}
