using System.Threading.Channels;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>Connects by links that take longer than they do: <see cref="ArtificialLimits.HopTime"/>.</summary>
internal sealed class SlowConnector(IStageConnector connector, TimeSpan hopTime, TimeProvider time) : IStageConnector
{
    public async Task<IStageLink> ConnectAsync(ShardSpec spec, TimeSpan timeout, CancellationToken cancellationToken) =>
        new SlowLink(await connector.ConnectAsync(spec, timeout, cancellationToken).ConfigureAwait(false), hopTime, time);
}

/// <summary>Holds each message back for the hop's time; messages behind it wait at the same time, as they do on a wire.</summary>
internal sealed class SlowLink : IStageLink
{
    private readonly IStageLink _link;
    private readonly TimeSpan _hopTime;
    private readonly TimeProvider _time;
    private readonly Channel<(long SentAt, StageWork Work)> _underWay = Channel.CreateUnbounded<(long, StageWork)>(new() { SingleReader = true });
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _delivering;

    /// <param name="link">Owned from now on.</param>
    public SlowLink(IStageLink link, TimeSpan hopTime, TimeProvider time)
    {
        (_link, _hopTime, _time) = (link, hopTime, time);
        _delivering = DeliverAsync();
    }

    /// <summary>A delivery that fails means that the neighbour is gone, which the link itself tells.</summary>
    public Task Completion => _link.Completion;

    public ValueTask SendAsync(StageWork work, CancellationToken cancellationToken) =>
        _underWay.Writer.WriteAsync((_time.GetTimestamp(), work), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await _delivering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _link.DisposeAsync().ConfigureAwait(false);
        _closing.Dispose();
    }

    private async Task DeliverAsync()
    {
        await foreach (var (sentAt, work) in _underWay.Reader.ReadAllAsync(_closing.Token).ConfigureAwait(false))
        {
            var left = _hopTime - _time.GetElapsedTime(sentAt);
            if (left > TimeSpan.Zero)
            {
                // Whole milliseconds, rounded up: a delay would round them down, and a link of one millisecond be none.
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), _time, _closing.Token).ConfigureAwait(false);
            }

            await _link.SendAsync(work, _closing.Token).ConfigureAwait(false);
        }
    }
}
