namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>Tokens per second over the last 10 s, in buckets of one second.</summary>
internal sealed class TokenRate(TimeProvider time)
{
    private const int Seconds = 10;

    private readonly Lock _gate = new();
    private readonly long[] _tokens = new long[Seconds];
    private readonly long[] _stamps = new long[Seconds];
    private long _firstAt = -1;

    /// <summary>0 when nothing came for 10 s.</summary>
    public double PerSecond
    {
        get
        {
            lock (_gate)
            {
                var now = time.GetTimestamp();
                var second = now / time.TimestampFrequency;
                var sum = 0L;
                for (var index = 0; index < Seconds; index++)
                {
                    sum += second - _stamps[index] < Seconds ? _tokens[index] : 0;
                }

                if (sum == 0)
                {
                    _firstAt = -1;
                    return 0;
                }

                return sum / Math.Clamp((double)(now - _firstAt) / time.TimestampFrequency, 1, Seconds);
            }
        }
    }

    public void Add(int tokens)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var second = now / time.TimestampFrequency;
            var index = (int)(second % Seconds);
            if (_stamps[index] != second)
            {
                _stamps[index] = second;
                _tokens[index] = 0;
            }

            _tokens[index] += tokens;
            _firstAt = _firstAt < 0 ? now : _firstAt;
        }
    }
}
