using System.Globalization;

namespace ClusterLlm.ModelFiles;

/// <summary>Parses expressions with Jinja's precedence: inline if, or, and, not, comparison, + −, ~, * / // %, **, sign, then calls, filters and tests.</summary>
internal sealed class ExpressionParser(TemplateTokens tokens)
{
    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    private int _depth;

    /// <summary>One expression, the inline if included.</summary>
    public Expression Parse() => Nested(ParseConditional);

    private Expression ParseConditional()
    {
        var value = ParseOr();
        while (tokens.Current is { Kind: TemplateTokenKind.Name, Value: "if", Line: var line })
        {
            tokens.Take();
            var condition = ParseOr();
            value = new ConditionalExpression(line, condition, value, tokens.TryTakeName("else") ? Parse() : null);
        }

        return value;
    }

    /// <summary>One expression, or several with commas between as a list.</summary>
    /// <param name="allowConditional">False where an <c>if</c> after it belongs to the statement.</param>
    public Expression ParseTuple(bool allowConditional)
    {
        var line = tokens.Current.Line;
        var first = allowConditional ? Parse() : ParseOr();
        if (!tokens.Current.Is(TemplateTokenKind.Operator, ","))
        {
            return first;
        }

        List<Expression> items = [first];
        while (tokens.TryTakeOperator(",") && tokens.Current.Kind is not (TemplateTokenKind.BlockEnd or TemplateTokenKind.OutputEnd)
            && !tokens.Current.Is(TemplateTokenKind.Operator, ")") && !tokens.Current.Is(TemplateTokenKind.Operator, "="))
        {
            items.Add(allowConditional ? Parse() : ParseOr());
        }

        return new ListExpression(line, items, isTuple: true);
    }

    /// <summary>What a <c>for</c> or a <c>set</c> assigns to: names, a member, or several with commas between.</summary>
    public Expression ParseTarget()
    {
        var line = tokens.Current.Line;
        var first = ParseOneTarget();
        if (!tokens.Current.Is(TemplateTokenKind.Operator, ","))
        {
            return first;
        }

        List<Expression> names = [first];
        while (tokens.TryTakeOperator(",") && tokens.Current.Kind is TemplateTokenKind.Name or TemplateTokenKind.Operator && !tokens.Current.Is(TemplateTokenKind.Operator, "="))
        {
            names.Add(ParseOneTarget());
        }

        return new ListExpression(line, names, isTuple: true);
    }

    /// <summary>The arguments after an opening parenthesis, that included.</summary>
    public ArgumentList ParseArguments()
    {
        tokens.ExpectOperator("(");
        List<Expression> positional = [];
        List<(string, Expression)> named = [];
        List<Expression> spread = [];
        while (!tokens.TryTakeOperator(")"))
        {
            if (tokens.TryTakeOperator("*") || tokens.TryTakeOperator("**"))
            {
                spread.Add(Parse());
            }
            else if (tokens.Current.Kind == TemplateTokenKind.Name && tokens.Following.Is(TemplateTokenKind.Operator, "="))
            {
                var name = tokens.Take().Value;
                tokens.Take();
                named.Add((name, Parse()));
            }
            else
            {
                positional.Add(Parse());
            }

            if (!tokens.Current.Is(TemplateTokenKind.Operator, ")"))
            {
                tokens.ExpectOperator(",");
            }
        }

        return named.DistinctBy(argument => argument.Item1).Count() == named.Count
            ? new ArgumentList(positional, named, spread)
            : throw tokens.Error("an argument is named twice");
    }

    private Expression ParseOneTarget()
    {
        if (tokens.TryTakeOperator("("))
        {
            var inner = ParseTarget();
            tokens.ExpectOperator(")");
            return inner;
        }

        var name = tokens.Expect(TemplateTokenKind.Name, "a name");
        Expression target = new NameExpression(name.Line, name.Value);
        while (tokens.TryTakeOperator("."))
        {
            var member = tokens.Expect(TemplateTokenKind.Name, "an attribute's name");
            target = new AttributeExpression(member.Line, target, member.Value);
        }

        return target;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (tokens.Current is { Kind: TemplateTokenKind.Name, Value: "or", Line: var line })
        {
            tokens.Take();
            left = new LogicExpression(line, left, ParseAnd(), isAnd: false);
        }

        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (tokens.Current is { Kind: TemplateTokenKind.Name, Value: "and", Line: var line })
        {
            tokens.Take();
            left = new LogicExpression(line, left, ParseNot(), isAnd: true);
        }

        return left;
    }

    private Expression ParseNot()
    {
        var line = tokens.Current.Line;
        return tokens.TryTakeName("not") ? new NotExpression(line, Nested(ParseNot)) : ParseComparison();
    }

    private Expression ParseComparison()
    {
        var line = tokens.Current.Line;
        var first = ParseSum();
        List<(string, Expression)> rest = [];
        while (TakeComparison() is { } symbol)
        {
            rest.Add((symbol, ParseSum()));
        }

        return rest.Count == 0 ? first : new CompareExpression(line, first, rest);
    }

    private string? TakeComparison()
    {
        if (tokens.Current.Kind == TemplateTokenKind.Operator && Comparisons.Contains(tokens.Current.Value))
        {
            return tokens.Take().Value;
        }

        if (tokens.TryTakeName("in"))
        {
            return "in";
        }

        if (tokens.Current.Is(TemplateTokenKind.Name, "not") && tokens.Following.Is(TemplateTokenKind.Name, "in"))
        {
            tokens.Take();
            tokens.Take();
            return "not in";
        }

        return null;
    }

    private Expression ParseSum() => ParseBinary(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation() => ParseBinary(ParseProduct, "~");

    /// <summary>Counts the depth itself: how much stack one level takes depends on the build, and the answer must not.</summary>
    private Expression Nested(Func<Expression> parse)
    {
        if (++_depth > TemplateLimits.MaxExpressionDepth)
        {
            throw tokens.Error("the template nests too deep");
        }

        var value = parse();
        _depth--;
        return value;
    }

    private Expression ParseProduct() => ParseBinary(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => ParseBinary(ParseSign, "**");

    private Expression ParseBinary(Func<Expression> operand, params string[] symbols)
    {
        var left = operand();
        while (tokens.Current.Kind == TemplateTokenKind.Operator && symbols.Contains(tokens.Current.Value))
        {
            var symbol = tokens.Take();
            left = new ArithmeticExpression(symbol.Line, symbol.Value, left, operand());
        }

        return left;
    }

    private Expression ParseSign()
    {
        var line = tokens.Current.Line;
        if (tokens.TryTakeOperator("-"))
        {
            return new SignExpression(line, Nested(ParseSign), isNegative: true);
        }

        return tokens.TryTakeOperator("+") ? new SignExpression(line, Nested(ParseSign), isNegative: false) : new PostfixParser(tokens, this).Parse(ParsePrimary());
    }

    /// <summary>A literal, a name, or something in brackets.</summary>
    public Expression ParsePrimary()
    {
        var token = tokens.Take();
        return token switch
        {
            { Kind: TemplateTokenKind.String } => ParseAdjacentStrings(token),
            { Kind: TemplateTokenKind.Integer } => new LiteralExpression(token.Line, ParseInteger(token)),
            { Kind: TemplateTokenKind.Float } => new LiteralExpression(token.Line, double.Parse(token.Value, CultureInfo.InvariantCulture)),
            { Kind: TemplateTokenKind.Name, Value: "true" or "True" } => new LiteralExpression(token.Line, true),
            { Kind: TemplateTokenKind.Name, Value: "false" or "False" } => new LiteralExpression(token.Line, false),
            { Kind: TemplateTokenKind.Name, Value: "none" or "None" } => new LiteralExpression(token.Line, null),
            { Kind: TemplateTokenKind.Name } => new NameExpression(token.Line, token.Value),
            { Kind: TemplateTokenKind.Operator, Value: "(" } => ParseGroup(token.Line),
            { Kind: TemplateTokenKind.Operator, Value: "[" } => new ListExpression(token.Line, ParseItems("]", Parse), isTuple: false),
            { Kind: TemplateTokenKind.Operator, Value: "{" } => new MapExpression(token.Line, ParseItems("}", ParseEntry)),
            _ => throw new ChatTemplateException(token.Line, $"a value is expected, not {token.Describe()}"),
        };
    }

    private static long ParseInteger(TemplateToken token) => long.TryParse(token.Value, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new ChatTemplateException(token.Line, $"the number {token.Value} is beyond 64 bits");

    private LiteralExpression ParseAdjacentStrings(TemplateToken token)
    {
        var text = token.Value;
        while (tokens.Current.Kind == TemplateTokenKind.String)
        {
            text += tokens.Take().Value;
        }

        return new LiteralExpression(token.Line, text);
    }

    private Expression ParseGroup(int line)
    {
        if (tokens.TryTakeOperator(")"))
        {
            return new ListExpression(line, [], isTuple: true);
        }

        var value = ParseTuple(allowConditional: true);
        tokens.ExpectOperator(")");
        return value;
    }

    private (Expression Key, Expression Value) ParseEntry()
    {
        var key = Parse();
        tokens.ExpectOperator(":");
        return (key, Parse());
    }

    private List<T> ParseItems<T>(string close, Func<T> parse)
    {
        List<T> items = [];
        while (!tokens.TryTakeOperator(close))
        {
            items.Add(parse());
            if (!tokens.Current.Is(TemplateTokenKind.Operator, close))
            {
                tokens.ExpectOperator(",");
            }
        }

        return items;
    }
}
