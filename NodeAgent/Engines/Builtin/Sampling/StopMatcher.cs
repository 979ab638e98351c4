using System.Text;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Sampling;

/// <summary>Finds stop strings in text that comes in pieces, and holds back what could become one, so that no part of it gets out.</summary>
internal sealed class StopMatcher(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _held = new();

    /// <summary>Whether a stop string was found; nothing comes out after it.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Takes a piece of text; returns what can go out.</summary>
    public string Append(string text)
    {
        if (IsStopped || (text.Length == 0 && _held.Length == 0))
        {
            return "";
        }

        if (stops.Count == 0)
        {
            return text;
        }

        var candidate = _held.Append(text).ToString();
        _held.Clear();
        var stop = FindStop(candidate);
        if (stop >= 0)
        {
            IsStopped = true;
            return candidate[..stop];
        }

        var keep = HeldLength(candidate);
        _held.Append(candidate, candidate.Length - keep, keep);
        return candidate[..^keep];
    }

    /// <summary>What was held back, once no more text comes.</summary>
    public string Finish()
    {
        var rest = IsStopped ? "" : _held.ToString();
        _held.Clear();
        return rest;
    }

    private int FindStop(string text)
    {
        var first = -1;
        foreach (var stop in stops)
        {
            var index = text.IndexOf(stop, StringComparison.Ordinal);
            first = index >= 0 && (first < 0 || index < first) ? index : first;
        }

        return first;
    }

    /// <summary>The longest end of the text that some stop string begins with.</summary>
    private int HeldLength(string text)
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }
}
