using System.Text.Encodings.Web;
using System.Text.Json;

namespace ClusterLlm.Benchmarks;

/// <summary>Options after a benchmark's name: <c>--name value</c> pairs.</summary>
internal sealed class BenchmarkOptions
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        // Figure names hold "+"; the file is no HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Dictionary<string, string> _values;

    private BenchmarkOptions(Dictionary<string, string> values) => _values = values;

    /// <exception cref="ArgumentException">An option has no value.</exception>
    public static BenchmarkOptions Parse(string[] args)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var index = 0; index < args.Length; index += 2)
        {
            if (!args[index].StartsWith("--", StringComparison.Ordinal) || index + 1 == args.Length)
            {
                throw new ArgumentException($"\"{args[index]}\" is not an option with a value; write for example --json figures.json.");
            }

            values[args[index][2..]] = args[index + 1];
        }

        return new BenchmarkOptions(values);
    }

    public static int Usage()
    {
        Console.Error.WriteLine("Usage: dotnet run -c Release --project tests/Benchmarks -- NAME [--json FILE]; see docs for the names.");
        return 2;
    }

    public string? Value(string name) => _values.GetValueOrDefault(name);

    /// <summary>Writes the figures to the file of <c>--json</c>, if asked.</summary>
    public void WriteJson(IReadOnlyDictionary<string, double> figures)
    {
        if (Value("json") is { } path)
        {
            File.WriteAllText(path, JsonSerializer.Serialize(figures.Where(pair => double.IsFinite(pair.Value)).ToDictionary(), Indented) + "\n");
        }
    }
}
