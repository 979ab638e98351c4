namespace ClusterLlm.AppHost.Settings;

/// <summary>Reads <c>--AppHost:Agents=2</c>, <c>--AppHost:Agents 2</c> and the short form <c>--agents 2</c>.</summary>
internal static class CommandLine
{
    /// <summary>Configuration keys with their texts, and one line for each argument that cannot be read.</summary>
    public static CommandLineReading Parse(IReadOnlyList<string> arguments)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        var problems = new List<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (!argument.StartsWith("--", StringComparison.Ordinal) || argument.Length == 2)
            {
                problems.Add($"\"{argument}\" is not understood; settings are written --AppHost:Agents=2, --help lists them.");
                continue;
            }

            var (name, text) = Split(argument[2..]);
            if (text is null && i + 1 < arguments.Count && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal))
            {
                text = arguments[++i];
            }

            Take(name, text);
        }

        return new(values, problems);

        void Take(string name, string? text)
        {
            const string prefix = SettingDescription.Section + ":";
            var bare = name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? name[prefix.Length..] : name.Replace("-", "", StringComparison.Ordinal);
            if (text is null)
            {
                problems.Add($"--{name} has no value; write --{name}=VALUE.");
            }
            else
            {
                values[prefix + bare] = text;
            }
        }
    }

    private static (string Name, string? Text) Split(string argument)
    {
        var at = argument.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? (argument, null) : (argument[..at], argument[(at + 1)..]);
    }
}

/// <summary>What the command line set, and what of it makes no sense.</summary>
internal sealed record CommandLineReading(IReadOnlyDictionary<string, string?> Values, IReadOnlyList<string> Problems);
