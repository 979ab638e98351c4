namespace ClusterLlm.ModelFiles;

/// <summary>A part of a template that has a value.</summary>
internal abstract class Expression(int line)
{
    public int Line => line;

    public object? Evaluate(RenderState state)
    {
        state.Step(line);
        return EvaluateCore(state);
    }

    protected abstract object? EvaluateCore(RenderState state);
}

internal sealed class LiteralExpression(int line, object? value) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state) => value;
}

internal sealed class NameExpression(int line, string name) : Expression(line)
{
    public string Name => name;

    protected override object? EvaluateCore(RenderState state) => state.Scope.Get(name);
}

internal sealed class ListExpression(int line, IReadOnlyList<Expression> items, bool isTuple) : Expression(line)
{
    public IReadOnlyList<Expression> Items => items;

    protected override object? EvaluateCore(RenderState state) =>
        items.Select(item => item.Evaluate(state)) is var values && isTuple ? new TemplateTuple(values) : values.ToList();
}

internal sealed class MapExpression(int line, IReadOnlyList<(Expression Key, Expression Value)> entries) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state)
    {
        TemplateMap map = [];
        foreach (var (key, value) in entries)
        {
            map[PythonText.Str(key.Evaluate(state))] = value.Evaluate(state);
        }

        return map;
    }
}

/// <summary><c>a.name</c>: a method, else a key.</summary>
internal sealed class AttributeExpression(int line, Expression target, string name) : Expression(line)
{
    public Expression Target => target;

    public string Name => name;

    protected override object? EvaluateCore(RenderState state) => TemplateMembers.GetAttribute(target.Evaluate(state), name);
}

/// <summary><c>a[key]</c>: a key or an index, else a method.</summary>
internal sealed class IndexExpression(int line, Expression target, Expression key) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state)
    {
        var value = target.Evaluate(state);
        return TemplateMembers.GetItem(value, key.Evaluate(state));
    }
}

internal sealed class SliceExpression(int line, Expression target, Expression? start, Expression? stop, Expression? step) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state) =>
        TemplateSlices.Slice(target.Evaluate(state), Bound(start, state), Bound(stop, state), Bound(step, state));

    private static long? Bound(Expression? bound, RenderState state) => bound?.Evaluate(state) switch
    {
        null => null,
        var value when TemplateOperators.ToInteger(value) is { } number => number,
        var value => throw new TemplateProblemException($"a slice needs whole numbers, not {TemplateOperators.TypeName(value)}"),
    };
}

internal sealed class CallExpression(int line, Expression target, ArgumentList arguments) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state) => Call(state, null);

    /// <param name="caller">The block of a <c>call</c> tag, which the macro can ask for; null without one.</param>
    public object? Call(RenderState state, TemplateFunction? caller) => target.Evaluate(state) switch
    {
        TemplateFunction function => function.Call(arguments.Evaluate(state) is var values && caller is not null ? values.With("caller", caller) : values),
        Undefined undefined => throw new TemplateProblemException($"'{undefined.Name}' is undefined and can't be called"),
        var value => throw new TemplateProblemException($"a value of type {TemplateOperators.TypeName(value)} can't be called"),
    };
}

internal sealed class FilterExpression(int line, Expression target, string name, ArgumentList arguments) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state)
    {
        var value = target.Evaluate(state);
        return TemplateFilters.Apply(name, value, arguments.Evaluate(state));
    }
}

internal sealed class TestExpression(int line, Expression target, string name, ArgumentList arguments, bool isNegated) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state)
    {
        var value = target.Evaluate(state);
        return TemplateChecks.Apply(name, value, arguments.Evaluate(state)) != isNegated;
    }
}

internal sealed class NotExpression(int line, Expression operand) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state) => !TemplateOperators.IsTrue(operand.Evaluate(state));
}

internal sealed class SignExpression(int line, Expression operand, bool isNegative) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state) =>
        TemplateOperators.Arithmetic(isNegative ? "-" : "+", 0L, operand.Evaluate(state));
}

/// <summary><c>and</c> or <c>or</c>: gives the operand that decides, as Python does.</summary>
internal sealed class LogicExpression(int line, Expression left, Expression right, bool isAnd) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state)
    {
        var first = left.Evaluate(state);
        return TemplateOperators.IsTrue(first) == isAnd ? right.Evaluate(state) : first;
    }
}

internal sealed class ArithmeticExpression(int line, string symbol, Expression left, Expression right) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state)
    {
        var (a, b) = (left.Evaluate(state), right.Evaluate(state));
        return symbol == "~"
            ? TemplateOperators.Concat(PythonText.Str(a), PythonText.Str(b))
            : TemplateOperators.Arithmetic(symbol, a, b);
    }
}

/// <summary>A chain of comparisons: <c>a &lt; b &lt;= c</c>.</summary>
internal sealed class CompareExpression(int line, Expression first, IReadOnlyList<(string Symbol, Expression Operand)> rest) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state)
    {
        var left = first.Evaluate(state);
        foreach (var (symbol, operand) in rest)
        {
            var right = operand.Evaluate(state);
            if (!Holds(symbol, left, right))
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    private static bool Holds(string symbol, object? left, object? right) => symbol switch
    {
        "==" => TemplateOperators.Equals(left, right),
        "!=" => !TemplateOperators.Equals(left, right),
        "in" => TemplateOperators.Contains(right, left),
        "not in" => !TemplateOperators.Contains(right, left),
        "<" => TemplateOperators.Compare(left, right) < 0,
        "<=" => TemplateOperators.Compare(left, right) <= 0,
        ">" => TemplateOperators.Compare(left, right) > 0,
        _ => TemplateOperators.Compare(left, right) >= 0,
    };
}

/// <summary><c>a if condition else b</c>.</summary>
internal sealed class ConditionalExpression(int line, Expression condition, Expression whenTrue, Expression? whenFalse) : Expression(line)
{
    protected override object? EvaluateCore(RenderState state) =>
        TemplateOperators.IsTrue(condition.Evaluate(state)) ? whenTrue.Evaluate(state)
        : whenFalse is null ? new Undefined("the else of an inline if")
        : whenFalse.Evaluate(state);
}

/// <summary>The arguments as they stand in the template.</summary>
/// <param name="Spread">Of <c>*list</c> and <c>**dictionary</c>, whose contents become arguments after the others.</param>
internal sealed record ArgumentList(
    IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, IReadOnlyList<Expression> Spread)
{
    public static ArgumentList Empty { get; } = new([], [], []);

    public TemplateArguments Evaluate(RenderState state)
    {
        if (Positional.Count + Named.Count + Spread.Count == 0)
        {
            return TemplateArguments.None;
        }

        List<object?> positional = [.. Positional.Select(argument => argument.Evaluate(state))];
        var named = Named.ToDictionary(argument => argument.Name, argument => argument.Value.Evaluate(state));
        foreach (var spread in Spread.Select(argument => argument.Evaluate(state)))
        {
            if (spread is TemplateMap map)
            {
                map.ToList().ForEach(entry => named[entry.Key] = entry.Value);
            }
            else
            {
                positional.AddRange(TemplateOperators.Items(spread));
            }
        }

        return new TemplateArguments(positional, named);
    }
}
