namespace ClusterLlm.ModelFiles;

/// <summary><c>{% for target in items if condition %}</c>; names set in the body end with each round.</summary>
internal sealed class ForStatement(
    int line, Expression target, Expression items, Expression? condition, IReadOnlyList<Statement> body, IReadOnlyList<Statement> otherwise)
    : Statement(line)
{
    private readonly int _line = line;

    protected override TemplateFlow RenderCore(RenderState state)
    {
        var all = TemplateOperators.Items(items.Evaluate(state));
        var outer = state.Scope;
        IReadOnlyList<object?> chosen = condition is null ? all : [.. all.Where(item => Holds(item, outer, state))];
        if (chosen.Count == 0)
        {
            return RenderAll(otherwise, state);
        }

        LoopState loop = new(chosen);
        for (var i = 0; i < chosen.Count; i++)
        {
            state.Step(_line);
            loop.Index = i;
            var flow = state.Within(outer, () => RenderRound(loop, state));
            if (flow == TemplateFlow.Break)
            {
                break;
            }
        }

        return TemplateFlow.Normal;
    }

    private bool Holds(object? item, TemplateScope outer, RenderState state) => state.Within(outer, () =>
    {
        TemplateTargets.Assign(target, item, state);
        return TemplateOperators.IsTrue(condition!.Evaluate(state));
    });

    private TemplateFlow RenderRound(LoopState loop, RenderState state)
    {
        state.Scope.Set("loop", loop);
        TemplateTargets.Assign(target, loop.Current, state);
        return RenderAll(body, state);
    }

    /// <summary>The <c>loop</c> variable.</summary>
    private sealed class LoopState(IReadOnlyList<object?> items) : ITemplateObject
    {
        private List<object?>? _lastChanged;

        public int Index { get; set; }

        public object? Current => items[Index];

        public object? Get(string name) => name switch
        {
            "index" => Index + 1L,
            "index0" => (long)Index,
            "revindex" => (long)items.Count - Index,
            "revindex0" => items.Count - Index - 1L,
            "first" => Index == 0,
            "last" => Index == items.Count - 1,
            "length" => (long)items.Count,
            "previtem" => Index > 0 ? items[Index - 1] : new Undefined("loop.previtem"),
            "nextitem" => Index < items.Count - 1 ? items[Index + 1] : new Undefined("loop.nextitem"),
            "cycle" => new TemplateFunction("cycle", arguments => arguments.Positional.Count > 0
                ? arguments.Positional[Index % arguments.Positional.Count]
                : throw new TemplateProblemException("loop.cycle needs values")),
            "changed" => new TemplateFunction("changed", arguments => HasChanged(arguments)),
            _ => new Undefined($"loop.{name}"),
        };

        private bool HasChanged(TemplateArguments arguments)
        {
            List<object?> values = [.. arguments.Positional];
            var changed = !TemplateOperators.Equals(values, _lastChanged);
            _lastChanged = values;
            return changed;
        }
    }
}

/// <summary>What may stand left of an assignment.</summary>
internal static class TemplateTargets
{
    public static void Assign(Expression target, object? value, RenderState state)
    {
        switch (target)
        {
            case NameExpression name:
                state.Scope.Set(name.Name, value);
                break;
            case ListExpression names:
                AssignEach(names, value, state);
                break;
            case AttributeExpression member when member.Target.Evaluate(state) is TemplateNamespace scope:
                scope.Set(member.Name, value);
                break;
            default:
                throw new TemplateProblemException("only names and attributes of a namespace() can be set");
        }
    }

    private static void AssignEach(ListExpression names, object? value, RenderState state)
    {
        var items = TemplateOperators.Items(value);
        if (items.Count != names.Items.Count)
        {
            throw new TemplateProblemException($"{items.Count} values can't be set to {names.Items.Count} names");
        }

        for (var i = 0; i < items.Count; i++)
        {
            Assign(names.Items[i], items[i], state);
        }
    }
}
