using System.Runtime.CompilerServices;

namespace ClusterLlm.ModelFiles;

/// <summary>Parses a template's text and tags into statements.</summary>
internal sealed class StatementParser
{
    private const string Supported = "if, for, set, macro, call, filter, generation, break, continue and raw";

    private readonly TemplateTokens _tokens;
    private readonly ExpressionParser _expressions;

    private StatementParser(TemplateTokens tokens)
    {
        _tokens = tokens;
        _expressions = new ExpressionParser(tokens);
    }

    /// <exception cref="ChatTemplateException">The template is not well-formed.</exception>
    public static IReadOnlyList<Statement> Parse(string source)
    {
        TemplateTokens tokens = new(TemplateLexer.Read(source));
        try
        {
            return new StatementParser(tokens).ParseBody([]);
        }
        catch (InsufficientExecutionStackException)
        {
            throw tokens.Error("the template nests too deep");
        }
    }

    /// <summary>Statements up to a tag that one of <paramref name="ends"/> begins; that tag's name is taken.</summary>
    private List<Statement> ParseBody(string[] ends)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        var opened = _tokens.Current.Line;
        List<Statement> body = [];
        while (_tokens.Current.Kind != TemplateTokenKind.End)
        {
            var token = _tokens.Take();
            switch (token.Kind)
            {
                case TemplateTokenKind.Text:
                    body.Add(new TextStatement(token.Line, token.Value));
                    break;
                case TemplateTokenKind.OutputStart:
                    body.Add(new OutputStatement(token.Line, _expressions.ParseTuple(allowConditional: true)));
                    _tokens.Expect(TemplateTokenKind.OutputEnd, "'}}'");
                    break;
                default:
                    if (ends.Contains(_tokens.Current.Value))
                    {
                        return body;
                    }

                    body.Add(ParseTag());
                    break;
            }
        }

        return ends.Length == 0 ? body : throw new ChatTemplateException(opened, $"'{ends[^1]}' is missing");
    }

    private Statement ParseTag()
    {
        var name = _tokens.Expect(TemplateTokenKind.Name, "a tag's name");
        switch (name.Value)
        {
            case "if":
                return ParseIf(name.Line);
            case "for":
                return ParseFor(name.Line);
            case "set":
                return ParseSet(name.Line);
            case "macro":
                return ParseMacro(name.Line);
            case "call":
                return ParseCall(name.Line);
            case "filter":
                return ParseFilter(name.Line);
            case "generation":
                EndTag();
                return new GroupStatement(name.Line, ParseBlock("endgeneration"));
            case "break" or "continue":
                EndTag();
                return new JumpStatement(name.Line, name.Value == "break" ? TemplateFlow.Break : TemplateFlow.Continue);
            default:
                throw new ChatTemplateException(name.Line, $"the tag '{name.Value}' is unknown or out of place; known are {Supported}");
        }
    }

    private IfStatement ParseIf(int line)
    {
        List<(Expression, IReadOnlyList<Statement>)> branches = [];
        while (true)
        {
            var condition = _expressions.ParseTuple(allowConditional: true);
            EndTag();
            branches.Add((condition, ParseBody(["elif", "else", "endif"])));
            switch (_tokens.Take().Value)
            {
                case "elif":
                    continue;
                case "else":
                    EndTag();
                    return new IfStatement(line, branches, ParseBlock("endif"));
                default:
                    EndTag();
                    return new IfStatement(line, branches, []);
            }
        }
    }

    private ForStatement ParseFor(int line)
    {
        var target = _expressions.ParseTarget();
        if (!_tokens.TryTakeName("in"))
        {
            throw _tokens.Error($"'in' is expected in the for, not {_tokens.Current.Describe()}");
        }

        var items = _expressions.ParseTuple(allowConditional: false);
        var condition = _tokens.TryTakeName("if") ? _expressions.Parse() : null;
        if (_tokens.Current.Is(TemplateTokenKind.Name, "recursive"))
        {
            throw _tokens.Error("recursive loops are not supported");
        }

        EndTag();
        var body = ParseBody(["else", "endfor"]);
        var hasElse = _tokens.Take().Value == "else";
        EndTag();
        return new ForStatement(line, target, items, condition, body, hasElse ? ParseBlock("endfor") : []);
    }

    private SetStatement ParseSet(int line)
    {
        var target = _expressions.ParseTarget();
        if (_tokens.TryTakeOperator("="))
        {
            var value = _expressions.ParseTuple(allowConditional: true);
            EndTag();
            return new SetStatement(line, target, value, []);
        }

        EndTag();
        return new SetStatement(line, target, null, ParseBlock("endset"));
    }

    private MacroStatement ParseMacro(int line)
    {
        var name = _tokens.Expect(TemplateTokenKind.Name, "the macro's name").Value;
        var parameters = ParseParameters();
        EndTag();
        return new MacroStatement(line, name, parameters, ParseBlock("endmacro"));
    }

    private CallStatement ParseCall(int line)
    {
        var parameters = _tokens.Current.Is(TemplateTokenKind.Operator, "(") ? ParseParameters() : [];
        var call = _expressions.Parse() as CallExpression ?? throw new ChatTemplateException(line, "'call' needs the call of a macro");
        EndTag();
        return new CallStatement(line, parameters, call, ParseBlock("endcall"));
    }

    private List<(string Name, Expression? Default)> ParseParameters()
    {
        List<(string, Expression?)> parameters = [];
        _tokens.ExpectOperator("(");
        while (!_tokens.TryTakeOperator(")"))
        {
            var parameter = _tokens.Expect(TemplateTokenKind.Name, "a parameter's name").Value;
            parameters.Add((parameter, _tokens.TryTakeOperator("=") ? _expressions.Parse() : null));
            if (!_tokens.Current.Is(TemplateTokenKind.Operator, ")"))
            {
                _tokens.ExpectOperator(",");
            }
        }

        return parameters;
    }

    private FilterStatement ParseFilter(int line)
    {
        var name = _tokens.Expect(TemplateTokenKind.Name, "a filter's name").Value;
        if (!TemplateFilters.IsKnown(name))
        {
            throw new ChatTemplateException(line, $"the filter '{name}' is unknown; known are {TemplateFilters.Names}");
        }

        var arguments = _tokens.Current.Is(TemplateTokenKind.Operator, "(") ? _expressions.ParseArguments() : ArgumentList.Empty;
        EndTag();
        return new FilterStatement(line, name, arguments, ParseBlock("endfilter"));
    }

    /// <summary>Statements up to the tag <paramref name="end"/>, that included.</summary>
    private List<Statement> ParseBlock(string end)
    {
        var body = ParseBody([end]);
        _tokens.Take();
        if (end == "endmacro" && _tokens.Current.Kind == TemplateTokenKind.Name)
        {
            _tokens.Take();
        }

        EndTag();
        return body;
    }

    private void EndTag() => _tokens.Expect(TemplateTokenKind.BlockEnd, "'%}'");
}
