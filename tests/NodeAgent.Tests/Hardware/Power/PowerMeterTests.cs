using ClusterLlm.NodeAgent.Hardware.Power;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.NodeAgent.Tests.Engines;
using ClusterLlm.NodeAgent.Tests.Shards;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Power;

/// <summary>With programs that print as powermetrics does.</summary>
public sealed class PowerMeterTests : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("clusterllm-power-");
    private readonly HostFixture _shards = new();
    private readonly FakeLogger<PowerMeter> _log = new();

    public async ValueTask DisposeAsync()
    {
        await _shards.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact(Timeout = 30_000)]
    public async Task Watts_WhileAShardIsHere_AreMeasuredAndTheProgramEndsWithIt()
    {
        var processes = Path.Combine(_folder.FullName, "pid");
        using var meter = Meter($"echo $$ > {processes}.new; mv {processes}.new {processes}; cat {SampleFile()}; exec tail -f /dev/null");
        await meter.StartAsync(TestContext.Current.CancellationToken);
        Assert.False(File.Exists(processes));

        _shards.Host.Start(Specs.Of());
        await UntilAsync(() => meter.Watts is not null);

        Assert.Equal(0.445, meter.Watts!.Value, 6);
        var process = int.Parse(await File.ReadAllTextAsync(processes, TestContext.Current.CancellationToken), System.Globalization.CultureInfo.InvariantCulture);
        await _shards.Host.StopAsync("d", 1, TestContext.Current.CancellationToken);
        await UntilAsync(() => !Directory.Exists($"/proc/{process}"));
        await UntilAsync(() => meter.Watts is null);
        await meter.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 30_000)]
    public async Task Watts_ProgramRefuses_AreNoneAndItsWordsAreLogged()
    {
        using var meter = Meter("echo 'powermetrics must be invoked as the superuser' >&2; exit 64");
        await meter.StartAsync(TestContext.Current.CancellationToken);
        _shards.Host.Start(Specs.Of());

        await UntilAsync(() => _log.Collector.Count > 0);

        var said = _log.LatestRecord.Message;
        Assert.All(["Node:PowerCommand", "exit code 64", "must be invoked as the superuser"], words => Assert.Contains(words, said, StringComparison.Ordinal));
        Assert.Null(meter.Watts);
        await meter.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 30_000)]
    public async Task Watts_ProgramIsMissing_AreNoneAndItIsNamed()
    {
        using var meter = new PowerMeter(_shards.Host, Options.Create(new NodeOptions { PowerCommand = "/no/such/program" }), TimeProvider.System, _log);
        await meter.StartAsync(TestContext.Current.CancellationToken);
        _shards.Host.Start(Specs.Of());

        await UntilAsync(() => _log.Collector.Count > 0);

        Assert.Contains("/no/such/program --samplers", _log.LatestRecord.Message, StringComparison.Ordinal);
        await meter.StopAsync(TestContext.Current.CancellationToken);
    }

    private PowerMeter Meter(string script)
    {
        var file = Path.Combine(_folder.FullName, "meter.sh");
        File.WriteAllText(file, script);
        return new PowerMeter(_shards.Host, Options.Create(new NodeOptions { PowerCommand = $"/bin/sh {file}" }), TimeProvider.System, _log);
    }

    private static string SampleFile() => Path.Combine(AppContext.BaseDirectory, "Hardware", "Samples", "powermetrics_m2air_26_two_samples_excerpt.txt");

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition())
        {
            await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
