using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.NodeAgent.Tests.Joining;

/// <summary>A fake clock that tells which timers the code under test has armed. It begins at the real time, since gRPC deadlines go by that.</summary>
internal sealed class ArmedTimeProvider() : FakeTimeProvider(System.GetUtcNow())
{
    private readonly Channel<TimeSpan> _armed = Channel.CreateUnbounded<TimeSpan>();

    /// <summary>Waits for the next timer and lets its time pass.</summary>
    /// <returns>How long it was.</returns>
    public async Task<TimeSpan> PassNextAsync(CancellationToken cancellationToken)
    {
        var due = await _armed.Reader.ReadAsync(cancellationToken);
        Advance(due);
        return due;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _armed.Writer.TryWrite(dueTime);
        return timer;
    }
}
