namespace ClusterLlm.ModelFiles;

/// <summary>
/// Cuts a template into text and the tokens of its tags. White space as transformers sets Jinja up: <c>trim_blocks</c> (a block tag takes
/// the line break after it along) and <c>lstrip_blocks</c> (and the indentation before it); <c>-</c> and <c>+</c> in a tag override.
/// </summary>
internal sealed class TemplateLexer
{
    private readonly string _source;
    private readonly TemplateCursor _cursor;
    private readonly TagTokenReader _tag;

    // Whether what was read last ended a line: only then may indentation be stripped that has no line break of its own before it.
    private bool _atLineStart = true;

    private TemplateLexer(string source)
    {
        _source = source;
        _cursor = new TemplateCursor(source);
        _tag = new TagTokenReader(_cursor);
    }

    /// <exception cref="ChatTemplateException">A tag or a string is not closed, or a character is none of the language's.</exception>
    public static IReadOnlyList<TemplateToken> Read(string source)
    {
        // As Jinja: line breaks are \n, and a single one at the very end is not part of the template.
        var normalized = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        TemplateLexer lexer = new(normalized.EndsWith('\n') ? normalized[..^1] : normalized);
        lexer.ReadAll();
        return lexer._cursor.Tokens;
    }

    private void ReadAll()
    {
        while (_cursor.Position < _source.Length)
        {
            var tag = NextTag(_cursor.Position);
            AddText(tag < 0 ? _source.Length : tag, tag);
            if (tag >= 0)
            {
                ReadTag(tag);
            }
        }

        _cursor.Add(TemplateTokenKind.End, "");
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
        var text = _source[_cursor.Position..end];
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
            _cursor.Add(TemplateTokenKind.Text, text);
        }

        _cursor.Position = end;
    }

    private void ReadTag(int tag)
    {
        var kind = _source[tag + 1];
        _cursor.Position = tag + 2;
        if (_cursor.Position < _source.Length && _source[_cursor.Position] is '-' or '+')
        {
            _cursor.Position++;
        }

        switch (kind)
        {
            case '#':
                SkipComment(tag);
                break;
            case '{':
                _cursor.Add(TemplateTokenKind.OutputStart, "{{");
                ReadTokens("}}", TemplateTokenKind.OutputEnd);
                break;
            default:
                if (!TryReadRaw())
                {
                    _cursor.Add(TemplateTokenKind.BlockStart, "{%");
                    ReadTokens("%}", TemplateTokenKind.BlockEnd);
                }

                break;
        }
    }

    private void SkipComment(int tag)
    {
        var end = _source.IndexOf("#}", _cursor.Position, StringComparison.Ordinal);
        if (end < 0)
        {
            _cursor.Position = tag;
            throw _cursor.Error("the comment is never closed with '#}'");
        }

        var sign = end > _cursor.Position ? _source[end - 1] : ' ';
        _cursor.Position = end + 2;
        EndBlock(sign);
    }

    /// <summary>White space after a block's or comment's end.</summary>
    private void EndBlock(char sign)
    {
        var start = _cursor.Position;
        if (sign == '-')
        {
            _cursor.SkipWhiteSpace();
        }
        else if (sign != '+' && _cursor.Position < _source.Length && _source[_cursor.Position] == '\n')
        {
            _cursor.Position++;
        }

        _atLineStart = _cursor.Position > start && _source[_cursor.Position - 1] == '\n';
    }

    /// <summary><c>{% raw %}</c> … <c>{% endraw %}</c> is text.</summary>
    private bool TryReadRaw()
    {
        if (!TagIs("raw", _cursor.Position, out var bodyStart))
        {
            return false;
        }

        for (var i = _source.IndexOf("{%", bodyStart, StringComparison.Ordinal); i >= 0; i = _source.IndexOf("{%", i + 2, StringComparison.Ordinal))
        {
            var inner = i + 2 < _source.Length && _source[i + 2] is '-' or '+' ? i + 3 : i + 2;
            if (TagIs("endraw", inner, out var end))
            {
                var text = _source[bodyStart..i];
                _cursor.Add(TemplateTokenKind.Text, _source[inner - 1] == '-' ? text.TrimEnd() : text);
                _cursor.Position = end;
                _atLineStart = false;
                return true;
            }
        }

        throw _cursor.Error("'raw' is never closed with 'endraw'");
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
            _cursor.SkipWhiteSpace();
            if (_cursor.Position >= _source.Length)
            {
                throw _cursor.Error($"the tag is never closed with '{close}'");
            }

            var signed = _source[_cursor.Position] is '-' or '+' && _cursor.Starts(close, _cursor.Position + 1);
            if ((signed || _cursor.Starts(close, _cursor.Position)) && (depth == 0 || close == "%}"))
            {
                var sign = signed ? _source[_cursor.Position] : ' ';
                _cursor.Add(closeKind, close);
                _cursor.Position += close.Length + (signed ? 1 : 0);
                EndTag(closeKind, sign);
                return;
            }

            _tag.Read();
            depth += _cursor.Tokens[^1] switch
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
            _cursor.SkipWhiteSpace();
        }
    }
}
