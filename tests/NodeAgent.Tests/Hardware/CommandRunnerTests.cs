using ClusterLlm.NodeAgent.Hardware;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClusterLlm.NodeAgent.Tests.Hardware;

public sealed class CommandRunnerTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact(Timeout = 20_000)]
    public async Task Run_ProgramSucceeds_GivesItsOutput() =>
        Assert.Equal("a,b\n", await RunAsync("/bin/sh", ["-c", "echo a,b"], TestContext.Current.CancellationToken));

    [Fact(Timeout = 20_000)]
    public async Task Run_ProgramIsMissing_GivesNothing() => Assert.Null(await RunAsync("/nowhere/vm_stat", [], TestContext.Current.CancellationToken));

    [Fact(Timeout = 20_000)]
    public async Task Run_ProgramFails_GivesNothing() => Assert.Null(await RunAsync("/bin/sh", ["-c", "echo partly; exit 3"], TestContext.Current.CancellationToken));

    [Fact(Timeout = 20_000)]
    public async Task Run_LocaleOfThePerson_IsNotUsed() => Assert.Equal("C\n", await RunAsync("/bin/sh", ["-c", "echo $LC_ALL"], TestContext.Current.CancellationToken));

    [Fact(Timeout = 20_000)]
    public async Task Run_ProgramHangs_IsEndedAtTheLimit()
    {
        var running = RunAsync("/bin/sh", ["-c", "sleep 60"], TestContext.Current.CancellationToken);

        // Time only moves here, so the program is ended by the limit and by nothing else.
        _time.Advance(TimeSpan.FromSeconds(11));

        Assert.Null(await running);
    }

    private Task<string?> RunAsync(string path, string[] arguments, CancellationToken cancellationToken) =>
        new CommandRunner(_time, NullLogger<CommandRunner>.Instance).RunAsync(path, arguments, cancellationToken).AsTask();
}
