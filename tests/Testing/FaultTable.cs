using System.Globalization;
using System.Text;

namespace ClusterLlm.Testing;

/// <summary>
/// What was done to a running group, and how long it took until the client and the cluster knew: printed when the tests that share it have ended, and kept as
/// <c>artifacts/ci/NAME.md</c>.
/// </summary>
public sealed class FaultTable(string name) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<string> _rows = [];

    /// <param name="detected">From the fault until the client's stream ended, or until the start had failed; null when nothing failed.</param>
    /// <param name="limit">What it must stay below, in words.</param>
    /// <param name="client">What the client or the one who launches saw.</param>
    /// <param name="memory">What the ranks held, and whether it is free again.</param>
    public void Add(string fault, TimeSpan? detected, string limit, string client, string memory)
    {
        lock (_gate)
        {
            var seen = detected is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s") : "–";
            _rows.Add($"| {fault} | {seen} | {limit} | {Cell(client)} | {memory} |");
        }
    }

    public void Dispose()
    {
        if (_rows.Count == 0)
        {
            return;
        }

        var text = new StringBuilder("| fault | seen after | limit | what was said | memory of the ranks |\n|---|---|---|---|---|\n");
        foreach (var row in _rows.Order(StringComparer.Ordinal))
        {
            text.Append(row).Append('\n');
        }

        Console.WriteLine(text);
        var folder = Directory.CreateDirectory(Path.Combine(MlxPython.Repository, "artifacts", "ci"));
        File.WriteAllText(Path.Combine(folder.FullName, name + ".md"), text.ToString());
    }

    /// <summary>The first sentences; a log's last lines would break the table.</summary>
    private static string Cell(string text)
    {
        const int Longest = 160;
        var line = text.Split(" Its last lines:")[0].Replace('|', '/').ReplaceLineEndings(" ");
        return line.Length > Longest ? line[..Longest] + "…" : line;
    }
}
