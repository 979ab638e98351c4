namespace ClusterLlm.ModelFiles;

/// <summary>How a statement ended.</summary>
internal enum TemplateFlow
{
    Normal,
    Break,
    Continue,
}

/// <summary>A part of a template that writes or sets something.</summary>
internal abstract class Statement(int line)
{
    public TemplateFlow Render(RenderState state)
    {
        state.Step(line);
        return RenderCore(state);
    }

    public static TemplateFlow RenderAll(IReadOnlyList<Statement> body, RenderState state)
    {
        foreach (var statement in body)
        {
            if (statement.Render(state) is var flow && flow != TemplateFlow.Normal)
            {
                return flow;
            }
        }

        return TemplateFlow.Normal;
    }

    protected abstract TemplateFlow RenderCore(RenderState state);
}

internal sealed class TextStatement(int line, string text) : Statement(line)
{
    protected override TemplateFlow RenderCore(RenderState state)
    {
        state.Output.Append(text);
        return TemplateFlow.Normal;
    }
}

internal sealed class OutputStatement(int line, Expression expression) : Statement(line)
{
    protected override TemplateFlow RenderCore(RenderState state)
    {
        state.Output.Append(PythonText.Str(expression.Evaluate(state)));
        return TemplateFlow.Normal;
    }
}

internal sealed class IfStatement(int line, IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> branches, IReadOnlyList<Statement> otherwise)
    : Statement(line)
{
    protected override TemplateFlow RenderCore(RenderState state)
    {
        foreach (var (condition, body) in branches)
        {
            if (TemplateOperators.IsTrue(condition.Evaluate(state)))
            {
                return RenderAll(body, state);
            }
        }

        return RenderAll(otherwise, state);
    }
}

/// <summary>Sets names, an attribute of a namespace, or several names from a list.</summary>
/// <param name="body">The block whose output is the value, when there is no <paramref name="value"/>.</param>
internal sealed class SetStatement(int line, Expression target, Expression? value, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override TemplateFlow RenderCore(RenderState state)
    {
        TemplateTargets.Assign(target, value is null ? state.Capture(body) : value.Evaluate(state), state);
        return TemplateFlow.Normal;
    }
}

/// <summary><c>{% call(names) macro(…) %}</c>: the macro writes the block where it calls <c>caller</c>.</summary>
internal sealed class CallStatement(int line, IReadOnlyList<(string Name, Expression? Default)> parameters, CallExpression call, IReadOnlyList<Statement> body)
    : Statement(line)
{
    protected override TemplateFlow RenderCore(RenderState state)
    {
        var definedIn = state.Scope;
        MacroBody block = new("caller", parameters, body);
        state.Output.Append(PythonText.Str(call.Call(state, new TemplateFunction("caller", arguments => state.Within(definedIn, () => block.Call(arguments, state))))));
        return TemplateFlow.Normal;
    }
}

internal sealed class FilterStatement(int line, string filter, ArgumentList arguments, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override TemplateFlow RenderCore(RenderState state)
    {
        state.Output.Append(PythonText.Str(TemplateFilters.Apply(filter, state.Capture(body), arguments.Evaluate(state))));
        return TemplateFlow.Normal;
    }
}

/// <summary>A block that only marks its content (<c>generation</c>: the part that a trainer looks at).</summary>
internal sealed class GroupStatement(int line, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override TemplateFlow RenderCore(RenderState state) => RenderAll(body, state);
}

internal sealed class JumpStatement(int line, TemplateFlow flow) : Statement(line)
{
    protected override TemplateFlow RenderCore(RenderState state) => flow;
}
