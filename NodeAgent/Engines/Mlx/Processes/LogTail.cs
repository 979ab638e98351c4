namespace ClusterLlm.NodeAgent.Engines.Mlx.Processes;

/// <summary>The last lines that a process wrote; older ones are forgotten.</summary>
/// <param name="capacity">Lines kept; ≥ 1.</param>
internal sealed class LogTail(int capacity)
{
    private const int LongestLine = 400;

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new(capacity);

    public void Add(string line)
    {
        lock (_gate)
        {
            if (_lines.Count == capacity)
            {
                _lines.Dequeue();
            }

            _lines.Enqueue(line.Length > LongestLine ? string.Concat(line.AsSpan(0, LongestLine), "…") : line);
        }
    }

    /// <summary>The newest lines, oldest first, in one line.</summary>
    public string Last(int count)
    {
        lock (_gate)
        {
            return string.Join(" | ", _lines.Where(line => !string.IsNullOrWhiteSpace(line)).TakeLast(count).Select(line => line.Trim()));
        }
    }
}
