namespace ClusterLlm.NodeAgent.Engines.Mlx.Requests;

/// <summary>Tokens per second where they come out: all answers together, over the last 10 s.</summary>
internal sealed class Throughput(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Queue<(long At, int Tokens)> _decoded = [];
    private readonly Queue<(long At, int Tokens, TimeSpan Took)> _prefilled = [];

    public void Decoded(int tokens)
    {
        lock (_gate)
        {
            _decoded.Enqueue((time.GetTimestamp(), tokens));
            Trim_NeedsLock();
        }
    }

    /// <param name="tokens">Of the prompt, without those whose KV was reused.</param>
    public void Prefilled(int tokens, TimeSpan took)
    {
        lock (_gate)
        {
            _prefilled.Enqueue((time.GetTimestamp(), tokens, took));
            Trim_NeedsLock();
        }
    }

    /// <returns>0 when idle.</returns>
    public double DecodeTokensPerSecond
    {
        get
        {
            lock (_gate)
            {
                Trim_NeedsLock();
                return _decoded.Sum(entry => entry.Tokens) / Window.TotalSeconds;
            }
        }
    }

    /// <summary>Prompt tokens per second of the time until their first token.</summary>
    public double PrefillTokensPerSecond
    {
        get
        {
            lock (_gate)
            {
                Trim_NeedsLock();
                var seconds = _prefilled.Sum(entry => entry.Took.TotalSeconds);
                return seconds > 0 ? _prefilled.Sum(entry => entry.Tokens) / seconds : 0;
            }
        }
    }

    private void Trim_NeedsLock()
    {
        while (_decoded.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) > Window)
        {
            _decoded.Dequeue();
        }

        while (_prefilled.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) > Window)
        {
            _prefilled.Dequeue();
        }
    }
}
