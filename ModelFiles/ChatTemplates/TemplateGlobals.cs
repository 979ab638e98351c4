namespace ClusterLlm.ModelFiles;

/// <summary>Functions that every template may call.</summary>
internal static class TemplateGlobals
{
    /// <param name="now">Local time, for <c>strftime_now</c>.</param>
    public static IEnumerable<TemplateFunction> Create(DateTimeOffset now) =>
    [
        new("range", Range),
        new("namespace", arguments => new TemplateNamespace(ToMap(arguments))),
        new("dict", ToMap),
        new("raise_exception", arguments => throw new ChatTemplateRefusedException(PythonText.Str(arguments.Require(0, "message")))),
        new("strftime_now", arguments => TemplateTime.Format(now, PythonText.Str(arguments.Require(0, "format")))),
    ];

    private static TemplateMap ToMap(TemplateArguments arguments)
    {
        TemplateMap map = [];
        foreach (var (key, value) in arguments.Get(0, "", null) is TemplateMap first ? first : [])
        {
            map[key] = value;
        }

        foreach (var (key, value) in arguments.Named)
        {
            map[key] = value;
        }

        return map;
    }

    private static List<object?> Range(TemplateArguments arguments)
    {
        var bounds = arguments.Positional.Select(value =>
            TemplateOperators.ToInteger(value) ?? throw new TemplateProblemException($"range needs whole numbers, not {TemplateOperators.TypeName(value)}")).ToArray();
        var (start, stop, step) = bounds switch
        {
            [var end] => (0L, end, 1L),
            [var first, var end] => (first, end, 1L),
            [var first, var end, not 0 and var by] => (first, end, by),
            _ => throw new TemplateProblemException("range takes one to three whole numbers, the third not 0"),
        };
        List<object?> numbers = [];
        for (Int128 number = start; step > 0 ? number < stop : number > stop; number += step)
        {
            numbers.Add((long)number);
            if (numbers.Count > TemplateLimits.MaxRange)
            {
                throw new TemplateProblemException($"range gives more than {TemplateLimits.MaxRange} numbers");
            }
        }

        return numbers;
    }
}
