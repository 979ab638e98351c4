namespace ClusterLlm.ModelFiles;

internal sealed class MacroStatement(int line, string name, IReadOnlyList<(string Name, Expression? Default)> parameters, IReadOnlyList<Statement> body)
    : Statement(line)
{
    protected override TemplateFlow RenderCore(RenderState state)
    {
        var definedIn = state.Scope;
        MacroBody macro = new(name, parameters, body);
        state.Scope.Set(name, new TemplateFunction(name, arguments => state.Within(definedIn, () => macro.Call(arguments, state))));
        return TemplateFlow.Normal;
    }
}

/// <summary>Statements with parameters, whose output is the value of a call.</summary>
internal sealed class MacroBody(string name, IReadOnlyList<(string Name, Expression? Default)> parameters, IReadOnlyList<Statement> body)
{
    /// <summary>Sets the parameters in the current scope and gives what the statements write.</summary>
    public string Call(TemplateArguments arguments, RenderState state)
    {
        if (arguments.Positional.Count > parameters.Count)
        {
            throw new TemplateProblemException($"the macro '{name}' takes {parameters.Count} arguments, not {arguments.Positional.Count}");
        }

        for (var i = 0; i < parameters.Count; i++)
        {
            var (parameter, missing) = parameters[i];
            var value = arguments.TryGet(i, parameter, out var given) ? given
                : missing is null ? new Undefined(parameter)
                : missing.Evaluate(state);
            state.Scope.Set(parameter, value);
        }

        if (arguments.Named.TryGetValue("caller", out var caller))
        {
            state.Scope.Set("caller", caller);
        }

        return state.Capture(body);
    }
}
