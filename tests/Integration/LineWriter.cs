using System.Text;

namespace ClusterLlm.Integration;

/// <summary>Keeps what is written and tells when a line comes.</summary>
internal sealed class LineWriter : TextWriter
{
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private readonly List<(string Prefix, TaskCompletionSource<string> Seen)> _awaited = [];

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>Lines so far.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _lines.Count;
            }
        }
    }

    public override void WriteLine(string? value)
    {
        lock (_gate)
        {
            _lines.Add(value ?? "");
            foreach (var (prefix, seen) in _awaited.Where(entry => _lines[^1].StartsWith(entry.Prefix, StringComparison.Ordinal)))
            {
                seen.TrySetResult(_lines[^1]);
            }
        }
    }

    /// <summary>The first line that begins with <paramref name="prefix"/>, written already or later.</summary>
    /// <param name="after">Lines at the beginning that do not count.</param>
    public Task<string> WaitForLineAsync(string prefix, int after = 0)
    {
        lock (_gate)
        {
            if (_lines.Skip(after).FirstOrDefault(line => line.StartsWith(prefix, StringComparison.Ordinal)) is { } line)
            {
                return Task.FromResult(line);
            }

            var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((prefix, seen));
            return seen.Task;
        }
    }

    public override string ToString()
    {
        lock (_gate)
        {
            return string.Join(Environment.NewLine, _lines);
        }
    }
}
