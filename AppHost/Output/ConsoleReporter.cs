namespace ClusterLlm.AppHost.Output;

/// <summary>Writes the calm lines of a start. On a terminal the newest progress stays on one line that later ones replace.</summary>
/// <param name="writer">Standard output, or a test's writer.</param>
/// <param name="isTerminal">False writes plain lines only, each once.</param>
internal sealed class ConsoleReporter(TextWriter writer, bool isTerminal)
{
    private const string ClearLine = "\r\u001b[2K";

    private readonly Lock _gate = new();
    private bool _progressShown;
    private string _lastProgress = "";

    public void Line(string text)
    {
        lock (_gate)
        {
            EndProgress();
            writer.WriteLine(text);
            writer.Flush();
        }
    }

    /// <summary>Shows progress; without a terminal only when <paramref name="step"/> differs from the last one.</summary>
    /// <param name="step">Changes rarely: what a plain reader is told.</param>
    /// <param name="text">Changes with every reading: what a terminal shows.</param>
    public void Progress(string step, string text)
    {
        lock (_gate)
        {
            if (isTerminal)
            {
                writer.Write(ClearLine + text);
                writer.Flush();
                _progressShown = true;
            }
            else if (step != _lastProgress)
            {
                writer.WriteLine(step);
                writer.Flush();
            }

            _lastProgress = step;
        }
    }

    private void EndProgress()
    {
        if (_progressShown)
        {
            writer.Write(ClearLine);
            _progressShown = false;
        }
    }
}
