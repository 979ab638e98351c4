using System.Globalization;

namespace ClusterLlm.ModelFiles;

/// <summary>What may follow a value: members, calls, filters and tests.</summary>
internal sealed class PostfixParser(TemplateTokens tokens, ExpressionParser expressions)
{
    // Each makes the expression one level deeper; no template has more than a few.
    private const int MaxParts = 200;

    public Expression Parse(Expression value)
    {
        for (var parts = 0; parts < MaxParts; parts++)
        {
            var line = tokens.Current.Line;
            Expression? next = null;
            if (tokens.Current.Kind == TemplateTokenKind.Operator)
            {
                next = ParseMember(value, line) ?? ParseFilter(value, line);
            }
            else if (tokens.TryTakeName("is"))
            {
                next = ParseTest(value, line);
            }

            if (next is null)
            {
                return value;
            }

            value = next;
        }

        throw tokens.Error($"more than {MaxParts} members, calls or filters follow one value");
    }

    private Expression? ParseMember(Expression value, int line)
    {
        if (tokens.TryTakeOperator("."))
        {
            var member = tokens.Take();
            return member.Kind switch
            {
                TemplateTokenKind.Name => new AttributeExpression(line, value, member.Value),
                TemplateTokenKind.Integer when long.TryParse(member.Value, CultureInfo.InvariantCulture, out var index) =>
                    new IndexExpression(line, value, new LiteralExpression(line, index)),
                _ => throw new ChatTemplateException(member.Line, $"an attribute's name is expected, not {member.Describe()}"),
            };
        }

        if (tokens.TryTakeOperator("["))
        {
            return ParseSubscript(value, line);
        }

        return tokens.Current.Is(TemplateTokenKind.Operator, "(") ? new CallExpression(line, value, expressions.ParseArguments()) : null;
    }

    private Expression ParseSubscript(Expression value, int line)
    {
        var start = ParseBound();
        if (!tokens.TryTakeOperator(":"))
        {
            tokens.ExpectOperator("]");
            return start is null ? throw tokens.Error("an index is expected between '[' and ']'") : new IndexExpression(line, value, start);
        }

        var stop = ParseBound();
        var step = tokens.TryTakeOperator(":") ? ParseBound() : null;
        tokens.ExpectOperator("]");
        return new SliceExpression(line, value, start, stop, step);
    }

    private Expression? ParseBound() =>
        tokens.Current.Is(TemplateTokenKind.Operator, ":") || tokens.Current.Is(TemplateTokenKind.Operator, "]") ? null : expressions.Parse();

    private FilterExpression? ParseFilter(Expression value, int line)
    {
        if (!tokens.TryTakeOperator("|"))
        {
            return null;
        }

        var name = tokens.Expect(TemplateTokenKind.Name, "a filter's name").Value;
        if (!TemplateFilters.IsKnown(name))
        {
            throw new ChatTemplateException(line, $"the filter '{name}' is unknown; known are {TemplateFilters.Names}");
        }

        var arguments = tokens.Current.Is(TemplateTokenKind.Operator, "(") ? expressions.ParseArguments() : ArgumentList.Empty;
        return new FilterExpression(line, value, name, arguments);
    }

    private TestExpression ParseTest(Expression value, int line)
    {
        var isNegated = tokens.TryTakeName("not");
        var token = tokens.Take();
        var name = token.Value;
        if (token.Kind is not (TemplateTokenKind.Name or TemplateTokenKind.Operator) || !TemplateChecks.IsKnown(name))
        {
            throw new ChatTemplateException(line, $"the test {token.Describe()} is unknown; known are {TemplateChecks.Names}");
        }

        return new TestExpression(line, value, name, ParseTestArguments(name), isNegated);
    }

    /// <summary>A test's argument needs no parentheses: <c>is divisibleby 3</c>.</summary>
    private ArgumentList ParseTestArguments(string name)
    {
        if (!TemplateChecks.TakesArgument(name))
        {
            return ArgumentList.Empty;
        }

        return tokens.Current.Is(TemplateTokenKind.Operator, "(")
            ? expressions.ParseArguments()
            : new ArgumentList([ParseMembers(expressions.ParsePrimary())], [], []);
    }

    private Expression ParseMembers(Expression value)
    {
        while (tokens.Current.Kind == TemplateTokenKind.Operator && ParseMember(value, tokens.Current.Line) is { } member)
        {
            value = member;
        }

        return value;
    }
}
