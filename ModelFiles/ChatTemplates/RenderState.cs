using System.Runtime.CompilerServices;
using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>The names that are visible at a place; a loop's body and a macro have their own.</summary>
internal sealed class TemplateScope(TemplateScope? parent)
{
    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public object? Get(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._values.TryGetValue(name, out var value))
            {
                return value;
            }
        }

        return new Undefined(name);
    }

    public void Set(string name, object? value) => _values[name] = value;

    private TemplateScope? Parent { get; } = parent;
}

/// <summary>One rendering: what is visible, what is written, and how much was done.</summary>
internal sealed class RenderState(TemplateScope scope, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private int _steps;

    public TemplateScope Scope { get; private set; } = scope;

    public StringBuilder Output { get; private set; } = new();

    /// <summary>The line being rendered, for errors.</summary>
    public int Line { get; private set; } = 1;

    /// <summary>Counts a step; ends a template that takes too many, nests too deep or writes too much.</summary>
    public void Step(int line)
    {
        Line = line;
        if (++_steps > TemplateLimits.MaxSteps)
        {
            throw new TemplateProblemException($"the template takes more than {TemplateLimits.MaxSteps} steps");
        }

        if (_steps % 16 == 0 && time.GetElapsedTime(_started) > TemplateLimits.MaxTime)
        {
            throw new TemplateProblemException($"the template takes longer than {TemplateLimits.MaxTime.TotalSeconds} s");
        }

        RuntimeHelpers.EnsureSufficientExecutionStack();
        TemplateLimits.CheckLength(Output.Length);
    }

    /// <summary>Does something with a scope inside <paramref name="parent"/>.</summary>
    public T Within<T>(TemplateScope parent, Func<T> action)
    {
        var outer = Scope;
        Scope = new TemplateScope(parent);
        try
        {
            return action();
        }
        finally
        {
            Scope = outer;
        }
    }

    /// <summary>What the statements write, instead of writing it.</summary>
    public string Capture(IReadOnlyList<Statement> body)
    {
        var outer = Output;
        Output = new StringBuilder();
        try
        {
            Statement.RenderAll(body, this);
            return Output.ToString();
        }
        finally
        {
            Output = outer;
        }
    }
}
