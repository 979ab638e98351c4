namespace ClusterLlm.ModelFiles;

/// <summary>Jinja's tests: what may stand after <c>is</c>.</summary>
internal static class TemplateChecks
{
    private static readonly Dictionary<string, Func<object?, bool>> Plain = new(StringComparer.Ordinal)
    {
        ["defined"] = value => value is not Undefined,
        ["undefined"] = value => value is Undefined,
        ["none"] = value => value is null,
        ["string"] = value => value is string,
        ["mapping"] = value => value is TemplateMap,
        ["sequence"] = value => value is string or List<object?> or TemplateMap,
        ["iterable"] = value => value is string or List<object?> or TemplateMap or Undefined,
        ["number"] = value => value is long or double or bool,
        ["integer"] = value => value is long,
        ["float"] = value => value is double,
        ["boolean"] = value => value is bool,
        ["true"] = value => value is true,
        ["false"] = value => value is false,
        ["callable"] = value => value is TemplateFunction,
        ["odd"] = value => Integer(value) % 2 != 0,
        ["even"] = value => Integer(value) % 2 == 0,
        ["lower"] = value => PythonText.Str(value) is var text && !text.Any(char.IsUpper) && text.Any(char.IsLower),
        ["upper"] = value => PythonText.Str(value) is var text && !text.Any(char.IsLower) && text.Any(char.IsUpper),
        ["escaped"] = _ => false,
    };

    private static readonly Dictionary<string, Func<object?, object?, bool>> WithArgument = new(StringComparer.Ordinal)
    {
        ["equalto"] = TemplateOperators.Equals,
        ["eq"] = TemplateOperators.Equals,
        ["sameas"] = (value, other) => TemplateOperators.TypeName(value) == TemplateOperators.TypeName(other) && TemplateOperators.Equals(value, other),
        ["ne"] = (value, other) => !TemplateOperators.Equals(value, other),
        ["in"] = (value, other) => TemplateOperators.Contains(other, value),
        ["lt"] = (value, other) => TemplateOperators.Compare(value, other) < 0,
        ["lessthan"] = (value, other) => TemplateOperators.Compare(value, other) < 0,
        ["le"] = (value, other) => TemplateOperators.Compare(value, other) <= 0,
        ["gt"] = (value, other) => TemplateOperators.Compare(value, other) > 0,
        ["greaterthan"] = (value, other) => TemplateOperators.Compare(value, other) > 0,
        ["ge"] = (value, other) => TemplateOperators.Compare(value, other) >= 0,
        ["divisibleby"] = (value, other) => TemplateOperators.ToInteger(TemplateOperators.Arithmetic("%", Integer(value), Integer(other))) == 0,
        ["=="] = TemplateOperators.Equals,
        ["!="] = (value, other) => !TemplateOperators.Equals(value, other),
    };

    public static string Names => string.Join(", ", Plain.Keys.Concat(WithArgument.Keys).Order(StringComparer.Ordinal));

    public static bool IsKnown(string name) => Plain.ContainsKey(name) || TakesArgument(name);

    public static bool TakesArgument(string name) => WithArgument.ContainsKey(name);

    public static bool Apply(string name, object? value, TemplateArguments arguments) =>
        Plain.TryGetValue(name, out var plain) ? plain(value)
        : WithArgument.TryGetValue(name, out var test) ? test(value, arguments.Require(0, "other"))
        : throw new TemplateProblemException($"the test '{name}' is unknown; known are {Names}");

    private static long Integer(object? value) =>
        TemplateOperators.ToInteger(value) ?? throw new TemplateProblemException($"a whole number is needed, not {TemplateOperators.TypeName(value)}");
}
