using System.IO.Pipes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class ParentWatchTests : IDisposable
{
    private readonly FakeLifetime _lifetime = new();
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact(Timeout = 20_000)]
    public async Task StartAsync_ParentClosesItsEnd_StopsTheApplication()
    {
        var parent = new AnonymousPipeServerStream(PipeDirection.Out);
        using var watch = Watch(new AnonymousPipeClientStream(PipeDirection.In, parent.ClientSafePipeHandle));
        await watch.StartAsync(TestContext.Current.CancellationToken);
        parent.WriteByte((byte)'x');
        Assert.False(_lifetime.ApplicationStopping.IsCancellationRequested);

        parent.Dispose();

        await _lifetime.Stopping.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(_ended.Task.IsCompleted);
    }

    [Fact(Timeout = 20_000)]
    public async Task StartAsync_AnotherProcessTakesTheParentsPlace_StopsTheApplication()
    {
        var parent = 7;
        using var host = new EndlessStream();
        using var watch = new ParentWatch(_lifetime, _time, new FakeLogger<ParentWatch>())
        {
            OpenInput = () => host,
            WatchesParentProcess = true,
            ReadParent = () => parent,
            EndProcess = _ended.SetResult,
        };
        await watch.StartAsync(TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(_lifetime.ApplicationStopping.IsCancellationRequested);

        parent = 1;
        _time.Advance(TimeSpan.FromSeconds(1));

        await _lifetime.Stopping.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 20_000)]
    public async Task StartAsync_NoHostAtTheOtherEnd_StopsTheApplication()
    {
        using var watch = new ParentWatch(_lifetime, _time, new FakeLogger<ParentWatch>()) { OpenInput = () => ParentWatch.Open("/nowhere/apphost.alive"), EndProcess = _ended.SetResult };

        await watch.StartAsync(TestContext.Current.CancellationToken);

        await _lifetime.Stopping.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 20_000)]
    public async Task StartAsync_StopHangs_EndsTheProcessAtTheDeadline()
    {
        using var watch = Watch(Stream.Null);
        await watch.StartAsync(TestContext.Current.CancellationToken);
        await _lifetime.Stopping.WaitAsync(TestContext.Current.CancellationToken);

        _time.Advance(ParentWatch.HardDeadline - TimeSpan.FromMilliseconds(1));
        Assert.False(_ended.Task.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        await _ended.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("stdin", true)]
    [InlineData("STDIN", true)]
    [InlineData("/home/run/apphost.alive", true)]
    [InlineData("yes", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void IsAskedFor_Variable_Decides(string? value, bool expected)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(ParentWatch.VariableName, value)]).Build();
        Assert.Equal(expected, ParentWatch.IsAskedFor(configuration));
    }

    public void Dispose() => _lifetime.Dispose();

    private ParentWatch Watch(Stream input) => new(_lifetime, _time, new FakeLogger<ParentWatch>())
    {
        OpenInput = () => input,
        EndProcess = _ended.SetResult,
    };

    /// <summary>A host that lives: a read never ends.</summary>
    private sealed class EndlessStream : MemoryStream
    {
        private readonly ManualResetEventSlim _never = new();

        public override int Read(Span<byte> buffer)
        {
            _never.Wait();
            return 0;
        }
    }

    private sealed class FakeLifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();
        private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes once all that was registered for the stop has run.</summary>
        public Task Stopping => _stopped.Task;

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication()
        {
            _stopping.Cancel();
            _stopped.SetResult();
        }

        public void Dispose() => _stopping.Dispose();
    }
}
