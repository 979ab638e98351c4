using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>Reads the tokens within a tag: names, numbers, texts and operators.</summary>
internal sealed class TagTokenReader(TemplateCursor cursor)
{
    private static readonly string[] Operators =
        ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "|", "(", ")", "[", "]", "{", "}", ",", ":", ".", "=", "<", ">", ";"];

    public void Read()
    {
        var start = cursor.Position;
        var first = cursor.Source[start];
        if (char.IsLetter(first) || first == '_')
        {
            cursor.Add(TemplateTokenKind.Name, cursor.Source[start..cursor.Advance(character => char.IsLetterOrDigit(character) || character == '_')], start);
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
            var symbol = Operators.FirstOrDefault(candidate => cursor.Starts(candidate, start)) ?? throw cursor.Error($"unexpected character '{first}'");
            cursor.Position += symbol.Length;
            cursor.Add(TemplateTokenKind.Operator, symbol);
        }
    }

    private void ReadNumber(int start)
    {
        cursor.Advance(character => char.IsAsciiDigit(character) || character == '_');
        var kind = TemplateTokenKind.Integer;
        if (cursor.Position + 1 < cursor.Source.Length && cursor.Source[cursor.Position] == '.' && char.IsAsciiDigit(cursor.Source[cursor.Position + 1]))
        {
            kind = TemplateTokenKind.Float;
            cursor.Position++;
            cursor.Advance(char.IsAsciiDigit);
        }

        if (cursor.Position + 1 < cursor.Source.Length && cursor.Source[cursor.Position] is 'e' or 'E' && (char.IsAsciiDigit(cursor.Source[cursor.Position + 1]) || cursor.Source[cursor.Position + 1] is '-' or '+'))
        {
            kind = TemplateTokenKind.Float;
            cursor.Position += 2;
            cursor.Advance(char.IsAsciiDigit);
        }

        cursor.Add(kind, cursor.Source[start..cursor.Position].Replace("_", "", StringComparison.Ordinal));
    }

    private void ReadString(char quote)
    {
        StringBuilder text = new();
        var position = cursor.Position + 1;
        while (position < cursor.Source.Length && cursor.Source[position] != quote)
        {
            if (cursor.Source[position] == '\\' && position + 1 < cursor.Source.Length)
            {
                position = TemplateEscapes.Append(cursor.Source, position + 1, text);
            }
            else
            {
                text.Append(cursor.Source[position++]);
            }
        }

        if (position >= cursor.Source.Length)
        {
            throw cursor.Error($"a text that begins with {quote} is never closed");
        }

        cursor.Add(TemplateTokenKind.String, text.ToString());
        cursor.Position = position + 1;
    }
}
